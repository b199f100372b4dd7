//! As much of HTTP/1.1 as the harness's servers need.

use std::io::BufRead;

/// A request with its whole body.
pub(crate) struct HttpRequest {
    /// Such as `POST / HTTP/1.1`.
    pub(crate) request_line: String,
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// Reads the next request of a connection; `None` at its end.
    pub(crate) fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut request_line = String::new();
        if reader.read_line(&mut request_line)? == 0 {
            return Ok(None);
        }
        let mut request = Self { request_line, body: Vec::new(), headers: Vec::new() };
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.split_once(':') else { break };
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        assert!(request.header("transfer-encoding").is_empty(), "streamed bodies are not supported");
        request.body.resize(request.header("content-length").parse().unwrap_or(0), 0);
        reader.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// A header by its lower-case name; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

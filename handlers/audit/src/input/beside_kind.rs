//! The kinds of files that lie beside those of a trail: they hold no events, and that is no fault.

use serde::Serialize;

/// A kind of file, or of object, that lies beside recorded events and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BesideKind {
    /// A digest of trail files.
    Digest,
    /// A history or a snapshot of AWS Config.
    Config,
    /// A manifest of S3 Inventory.
    Inventory,
    /// A flow log of a VPC.
    FlowLog,
    /// An access log of a load balancer.
    LoadBalancerLog,
    /// A test message of a CloudWatch Logs subscription.
    ControlMessage,
    /// The signature of the results of a query.
    ResultSignature,
    /// A mark or a checksum that another program left: `_SUCCESS`, `.md5`, `.crc`.
    Marker,
    /// A file that a desktop puts into folders: `.DS_Store`, `Thumbs.db`, `desktop.ini`.
    DesktopFile,
}

/// The files that desktops put into folders.
const DESKTOP_FILES: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// The files that programs leave beside their output, and the ends of the names of such files.
const MARKER_FILES: [&str; 2] = ["_SUCCESS", "manifest.checksum"];
const MARKER_ENDS: [&str; 4] = [".md5", ".crc", ".csv.metadata", ".sha256"];

impl BesideKind {
    /// Decides by the name of a file, without its folders.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let name = name.rsplit(['/', '!']).next().unwrap_or(name);
        if DESKTOP_FILES.contains(&name) || name.starts_with("._") {
            return Some(Self::DesktopFile);
        }
        let is_marker = MARKER_FILES.contains(&name) || MARKER_ENDS.iter().any(|end| name.ends_with(end));
        is_marker.then_some(Self::Marker)
    }

    /// Decides by the first bytes of a content.
    pub(super) fn detect(content: &[u8]) -> Option<Self> {
        // A desktop's file under another name (the store of Finder, and Apple's file of attributes).
        if content.starts_with(b"\0\0\0\x01Bud1") || content.starts_with(b"\0\x05\x16\x07") {
            return Some(Self::DesktopFile);
        }
        let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').take(6).collect();
        match words.as_slice() {
            [b"version", b"account-id", ..] => Some(Self::FlowLog),
            [version, _, interface, ..] if is_number(version) && interface.starts_with(b"eni-") => {
                Some(Self::FlowLog)
            }
            [b"http" | b"https" | b"h2" | b"grpcs" | b"ws" | b"wss" | b"tls", time, name, ..]
                if is_time(time) && is_balancer(name) =>
            {
                Some(Self::LoadBalancerLog)
            }
            // A classic load balancer.
            [time, _, client, backend, ..]
                if is_time(time) && client.contains(&b':') && has_port(backend) =>
            {
                Some(Self::LoadBalancerLog)
            }
            _ => None,
        }
    }

    /// The words for it in reports, in the plural.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digests",
            Self::Config => "files of AWS Config",
            Self::Inventory => "manifests of S3 Inventory",
            Self::FlowLog => "VPC flow logs",
            Self::LoadBalancerLog => "load balancer logs",
            Self::ControlMessage => "test messages of a log subscription",
            Self::ResultSignature => "signatures of query results",
            Self::Marker => "markers and checksums",
            Self::DesktopFile => "files of a desktop",
        }
    }
}

fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

fn is_time(word: &[u8]) -> bool {
    matches!(word, [b'2', b'0', _, _, b'-', _, _, b'-', _, _, b'T', ..])
}

fn is_balancer(word: &[u8]) -> bool {
    word.starts_with(b"app/") || word.starts_with(b"net/") || is_number(word) || word.contains(&b'/')
}

fn has_port(word: &[u8]) -> bool {
    word == b"-" || word.contains(&b':')
}

//! The ledger: one table.

use serde_json::{Value, json};

use super::EmulatorClient;

impl EmulatorClient {
    /// Creates a table as the product's: hash key `pk`, range key `sk`, TTL attribute `ttl`.
    pub fn create_ledger(&self, table: &str) {
        self.dynamodb(
            "CreateTable",
            &json!({
                "TableName": table,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
            }),
        );
        let ttl = json!({"Enabled": true, "AttributeName": "ttl"});
        self.dynamodb("UpdateTimeToLive", &json!({"TableName": table, "TimeToLiveSpecification": ttl}));
    }

    /// Deletes a table, to see what a function does without its ledger.
    pub fn delete_table(&self, table: &str) {
        self.dynamodb("DeleteTable", &json!({"TableName": table}));
    }

    /// All items of a table, with typed attributes.
    pub fn scan(&self, table: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut request = json!({"TableName": table, "ConsistentRead": true});
        loop {
            let answer = self.dynamodb("Scan", &request);
            items.extend(answer["Items"].as_array().into_iter().flatten().cloned());
            match answer.get("LastEvaluatedKey") {
                Some(key) => request["ExclusiveStartKey"] = key.clone(),
                None => return items,
            }
        }
    }

    /// One item, with typed attributes.
    pub fn get_item(&self, table: &str, pk: &str, sk: &str) -> Option<Value> {
        let key = json!({"pk": {"S": pk}, "sk": {"S": sk}});
        let answer =
            self.dynamodb("GetItem", &json!({"TableName": table, "Key": key, "ConsistentRead": true}));
        answer.get("Item").cloned()
    }

    fn dynamodb(&self, action: &str, body: &Value) -> Value {
        self.json("dynamodb", &format!("DynamoDB_20120810.{action}"), body)
    }
}

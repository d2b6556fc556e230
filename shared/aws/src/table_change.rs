//! Record of a table's stream.

use serde::Deserialize;
use serde_dynamo::Item;

/// A change of an item: a record of a table's stream with the view type `NEW_AND_OLD_IMAGES` ("Using AWS Lambda with
/// Amazon DynamoDB").
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Record")]
pub struct TableChange {
    /// The item before the change, or `None` if it is new.
    pub old_image: Option<Item>,
    /// The item after the change, or `None` if it was deleted.
    pub new_image: Option<Item>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Images,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    old_image: Option<Item>,
    new_image: Option<Item>,
}

impl From<Record> for TableChange {
    fn from(Record { dynamodb: Images { old_image, new_image } }: Record) -> Self {
        Self { old_image, new_image }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_images_of_a_record() {
        let record = json!({"eventName": "INSERT", "dynamodb": {"Keys": {}, "NewImage": {"pk": {"S": "a"}}}});
        let change: TableChange = serde_json::from_value(record).unwrap();
        assert_eq!((change.old_image, change.new_image.unwrap().len()), (None, 1));
        assert!(serde_json::from_value::<TableChange>(json!({"kinesis": {}})).is_err());
    }
}

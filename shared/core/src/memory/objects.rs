//! In-memory bucket.

use std::collections::BTreeMap;

use crate::ports::{PortError, ReadObject};

/// Objects by their keys.
#[derive(Debug, Default)]
pub struct MemoryObjects(pub BTreeMap<String, Vec<u8>>);

impl ReadObject for MemoryObjects {
    async fn read(&self, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, PortError> {
        let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX).saturating_add(1);
        Ok(self.0.get(key).map(|bytes| bytes[..bytes.len().min(limit)].to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_one_byte_more_than_the_limit_of_a_larger_object() {
        let objects = MemoryObjects(BTreeMap::from([("large".to_owned(), vec![1; 9])]));
        assert_eq!(objects.read("large", 4).await.unwrap(), Some(vec![1; 5]));
        assert_eq!(objects.read("large", 9).await.unwrap(), Some(vec![1; 9]));
        assert_eq!(objects.read("missing", 9).await.unwrap(), None);
    }
}

use std::future::pending;
use std::sync::Mutex;

use super::*;
use ferrite_token_issuer::signing_key::{SigningKey, jwks};

/// Back-off after a failed fetch.
const RETRY_SECONDS: u64 = 5;
const START: u64 = 1_800_000_000;
const LIFETIMES: Lifetimes = Lifetimes { ttl_seconds: 600, max_stale_seconds: 3_600 };

/// A source that returns a configurable document and counts the fetches. Without a document, fetches fail.
#[derive(Clone, Default)]
pub(crate) struct FakeSource(Arc<Mutex<SourceState>>);

#[derive(Default)]
struct SourceState {
    document: Option<Vec<u8>>,
    fetches: usize,
}

impl FakeSource {
    /// A source that returns the JWK Set of `keys`.
    pub(crate) fn keys(keys: &[&SigningKey]) -> Self {
        let source = Self::default();
        source.replace(Some(jwks(keys)));
        source
    }

    /// Replaces the document. `None` simulates an outage.
    pub(crate) fn replace(&self, document: Option<Vec<u8>>) {
        self.0.lock().unwrap().document = document;
    }

    /// Number of fetches.
    pub(crate) fn fetches(&self) -> usize {
        self.0.lock().unwrap().fetches
    }
}

impl FetchJwks for FakeSource {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        // Let other requests run, as a fetch over the network does.
        tokio::task::yield_now().await;
        let mut state = self.0.lock().unwrap();
        state.fetches += 1;
        state.document.clone().ok_or(FetchError::Status(503))
    }
}

fn cache(source: &FakeSource) -> KeyCache<FakeSource> {
    KeyCache::new(source.clone(), LIFETIMES)
}

fn contains(keys: Result<Arc<KeySet>, KeysUnavailable>, id: &str) -> bool {
    !keys.unwrap().with_id(id).is_empty()
}

#[tokio::test]
async fn fetches_keys_once_per_ttl() {
    let source = FakeSource::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    assert!(contains(cache.current(START).await, "old"));
    source.replace(Some(jwks(&[&SigningKey::es256("new")])));

    assert!(contains(cache.current(START + 599).await, "old"));
    assert_eq!(source.fetches(), 1);

    let keys = cache.current(START + 600).await.unwrap();
    assert!(!keys.with_id("new").is_empty());
    assert!(keys.with_id("old").is_empty(), "the withdrawn key is still present");
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn fetches_at_most_once_a_minute_for_unknown_keys() {
    let source = FakeSource::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(Some(jwks(&[&SigningKey::es256("new")])));

    assert!(contains(cache.refresh_for_unknown_key(START + 1).await, "new"));
    for second in 2..61 {
        cache.refresh_for_unknown_key(START + second).await.unwrap();
    }
    assert_eq!(source.fetches(), 2);
    cache.refresh_for_unknown_key(START + 61).await.unwrap();
    assert_eq!(source.fetches(), 3);
}

#[tokio::test]
async fn counts_failed_fetches_for_the_minute() {
    let source = FakeSource::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);

    for second in 1..61 {
        assert!(cache.refresh_for_unknown_key(START + second).await.is_err(), "the key may exist but could not be fetched");
        assert!(contains(cache.current(START + second).await, "old"), "the cached key is no longer usable");
    }
    assert_eq!(source.fetches(), 2);

    source.replace(Some(jwks(&[&SigningKey::es256("new")])));
    assert!(contains(cache.refresh_for_unknown_key(START + 61).await, "new"));
}

#[tokio::test]
async fn does_not_count_a_skipped_fetch_for_the_minute() {
    let source = FakeSource::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);
    cache.current(START + 600).await.unwrap();
    source.replace(Some(jwks(&[&SigningKey::es256("new")])));

    assert!(cache.refresh_for_unknown_key(START + 601).await.is_err(), "a fetch has just failed");
    assert!(contains(cache.refresh_for_unknown_key(START + 600 + RETRY_SECONDS).await, "new"));
}

#[tokio::test]
async fn concurrent_requests_share_a_fetch() {
    let source = FakeSource::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    let (first, second) = tokio::join!(cache.current(START), cache.current(START));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(source.fetches(), 1);

    source.replace(Some(jwks(&[&SigningKey::es256("new")])));
    let (first, second) = tokio::join!(cache.refresh_for_unknown_key(START), cache.refresh_for_unknown_key(START));
    assert!(contains(first, "new") && contains(second, "new"));
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn uses_cached_keys_during_an_outage_until_max_stale() {
    let source = FakeSource::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);

    assert!(contains(cache.current(START + 600).await, "a"));
    assert!(contains(cache.current(START + 3_599).await, "a"));
    assert!(cache.current(START + 3_600).await.is_err());
    assert!(cache.refresh_for_unknown_key(START + 3_600).await.is_err());

    source.replace(Some(jwks(&[&SigningKey::es256("b")])));
    assert!(contains(cache.current(START + 3_700).await, "b"), "did not recover after the outage");
}

#[tokio::test]
async fn backs_off_during_an_outage() {
    let source = FakeSource::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);

    for second in 600..610 {
        cache.current(START + second).await.unwrap();
    }
    assert_eq!(source.fetches(), 3);
}

#[tokio::test]
async fn fetches_again_after_the_back_off_without_cached_keys() {
    let source = FakeSource::default();
    let cache = cache(&source);
    assert!(cache.current(START).await.is_err());
    source.replace(Some(jwks(&[&SigningKey::es256("a")])));
    assert!(cache.current(START + RETRY_SECONDS - 1).await.is_err());
    assert!(contains(cache.current(START + RETRY_SECONDS).await, "a"));
}

#[tokio::test]
async fn treats_an_invalid_document_as_an_outage() {
    let source = FakeSource::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(Some(b"<html>down for maintenance</html>".to_vec()));
    assert!(contains(cache.current(START + 600).await, "a"));
}

#[tokio::test]
async fn accepts_an_empty_jwk_set() {
    let source = FakeSource::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(Some(jwks(&[])));
    assert!(!contains(cache.current(START + 600).await, "a"));
}

#[tokio::test(start_paused = true)]
async fn times_out_when_the_source_hangs() {
    struct HangingSource;
    impl FetchJwks for HangingSource {
        async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
            pending().await
        }
    }
    let cache = KeyCache::new(HangingSource, LIFETIMES);
    let start = tokio::time::Instant::now();
    assert!(cache.current(START).await.is_err());
    assert_eq!(start.elapsed().as_secs(), FETCH_TIMEOUT.as_secs());
}

use std::future::pending;
use std::sync::Mutex;

use super::*;
use ferrite_token_issuer::signing_key::{SigningKey, jwks};

/// From one failed fetch to the next.
const RETRY_SECONDS: u64 = 5;
const START: u64 = 1_800_000_000;
const LIFETIMES: Lifetimes = Lifetimes { ttl_seconds: 600, max_stale_seconds: 3_600 };

/// A source that answers what it was last told to, and counts.
#[derive(Clone, Default)]
pub(crate) struct Published(Arc<Mutex<Publication>>);

#[derive(Default)]
struct Publication {
    document: Option<Vec<u8>>,
    fetches: usize,
}

impl Published {
    /// Publishes the JWK Set of `keys`.
    pub(crate) fn keys(keys: &[&SigningKey]) -> Self {
        let published = Self::default();
        published.replace(Some(jwks(keys)));
        published
    }

    /// Publishes `document` from now on; `None` is an outage.
    pub(crate) fn replace(&self, document: Option<Vec<u8>>) {
        self.0.lock().unwrap().document = document;
    }

    /// How often it was asked.
    pub(crate) fn fetches(&self) -> usize {
        self.0.lock().unwrap().fetches
    }
}

impl FetchJwks for Published {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        // Lets other requests run, as a fetch over the network does.
        tokio::task::yield_now().await;
        let mut publication = self.0.lock().unwrap();
        publication.fetches += 1;
        publication.document.clone().ok_or(FetchError::Status(503))
    }
}

fn cache(source: &Published) -> KeyCache<Published> {
    KeyCache::new(source.clone(), LIFETIMES)
}

fn knows(keys: Result<Arc<KeySet>, KeysUnavailable>, id: &str) -> bool {
    keys.unwrap().named(id).is_some()
}

#[tokio::test]
async fn keys_are_fetched_once_in_their_lifetime() {
    let source = Published::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    assert!(knows(cache.current(START).await, "old"));
    source.replace(Some(jwks(&[&SigningKey::es256("new")])));

    assert!(knows(cache.current(START + 599).await, "old"));
    assert_eq!(source.fetches(), 1);

    let keys = cache.current(START + 600).await.unwrap();
    assert!(keys.named("new").is_some());
    assert!(keys.named("old").is_none(), "a withdrawn key is gone");
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn an_unknown_key_refetches_at_most_once_a_minute() {
    let source = Published::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(Some(jwks(&[&SigningKey::es256("new")])));

    assert!(knows(cache.after_unknown_key(START + 1).await, "new"));
    for second in 2..61 {
        cache.after_unknown_key(START + second).await.unwrap();
    }
    assert_eq!(source.fetches(), 2);
    cache.after_unknown_key(START + 61).await.unwrap();
    assert_eq!(source.fetches(), 3);
}

#[tokio::test]
async fn the_minute_counts_failed_fetches_too() {
    let source = Published::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);

    for second in 1..61 {
        assert!(cache.after_unknown_key(START + second).await.is_err(), "it may be a key that could not be fetched");
        assert!(knows(cache.current(START + second).await, "old"), "the known ones go on");
    }
    assert_eq!(source.fetches(), 2);

    source.replace(Some(jwks(&[&SigningKey::es256("new")])));
    assert!(knows(cache.after_unknown_key(START + 61).await, "new"));
}

#[tokio::test]
async fn the_minute_is_not_spent_on_a_fetch_that_is_not_made() {
    let source = Published::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);
    cache.current(START + 600).await.unwrap();
    source.replace(Some(jwks(&[&SigningKey::es256("new")])));

    assert!(cache.after_unknown_key(START + 601).await.is_err(), "a fetch has just failed");
    assert!(knows(cache.after_unknown_key(START + 600 + RETRY_SECONDS).await, "new"));
}

#[tokio::test]
async fn requests_at_once_share_a_fetch() {
    let source = Published::keys(&[&SigningKey::es256("old")]);
    let cache = cache(&source);
    let (first, second) = tokio::join!(cache.current(START), cache.current(START));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(source.fetches(), 1);

    source.replace(Some(jwks(&[&SigningKey::es256("new")])));
    let (first, second) = tokio::join!(cache.after_unknown_key(START), cache.after_unknown_key(START));
    assert!(knows(first, "new") && knows(second, "new"));
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn cached_keys_outlast_an_outage_until_their_bound() {
    let source = Published::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);

    assert!(knows(cache.current(START + 600).await, "a"));
    assert!(knows(cache.current(START + 3_599).await, "a"));
    assert!(cache.current(START + 3_600).await.is_err());
    assert!(cache.after_unknown_key(START + 3_600).await.is_err());

    source.replace(Some(jwks(&[&SigningKey::es256("b")])));
    assert!(knows(cache.current(START + 3_700).await, "b"), "and then recovers");
}

#[tokio::test]
async fn an_outage_is_probed_every_few_seconds_only() {
    let source = Published::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(None);

    for second in 600..610 {
        cache.current(START + second).await.unwrap();
    }
    assert_eq!(source.fetches(), 3);
}

#[tokio::test]
async fn without_any_keys_a_later_request_tries_again() {
    let source = Published::default();
    let cache = cache(&source);
    assert!(cache.current(START).await.is_err());
    source.replace(Some(jwks(&[&SigningKey::es256("a")])));
    assert!(cache.current(START + RETRY_SECONDS - 1).await.is_err());
    assert!(knows(cache.current(START + RETRY_SECONDS).await, "a"));
}

#[tokio::test]
async fn an_answer_that_is_no_jwk_set_is_an_outage() {
    let source = Published::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(Some(b"<html>down for maintenance</html>".to_vec()));
    assert!(knows(cache.current(START + 600).await, "a"));
}

#[tokio::test]
async fn an_empty_jwk_set_withdraws_every_key() {
    let source = Published::keys(&[&SigningKey::es256("a")]);
    let cache = cache(&source);
    cache.current(START).await.unwrap();
    source.replace(Some(jwks(&[])));
    assert!(!knows(cache.current(START + 600).await, "a"));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up() {
    struct Hanging;
    impl FetchJwks for Hanging {
        async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
            pending().await
        }
    }
    let cache = KeyCache::new(Hanging, LIFETIMES);
    let asked = tokio::time::Instant::now();
    assert!(cache.current(START).await.is_err());
    assert_eq!(asked.elapsed().as_secs(), FETCH_TIMEOUT.as_secs());
}

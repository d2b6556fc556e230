//! Updates the code of functions in the running stack, and confirms that they run it.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_aws_client::error::AwsError;
use ferrite_local_stack::process::check_interrupted;
use ferrite_local_stack::staging::Staging;

/// The number of functions that are updated at the same time.
const WORKERS: usize = 4;

/// The maximum duration of an update.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What has become of a function.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It runs the staged code.
    Live,
    /// The stack does not have it.
    NotInStack,
    /// It could not be updated, or does not run the staged code.
    Failed(anyhow::Error),
}

/// The functions of a running stack, and their staged code.
pub(crate) struct Functions<'a> {
    /// The emulator.
    pub(crate) target: &'a Target,
    /// The name of the stack, with which the names of its functions start.
    pub(crate) stack: &'a str,
    /// The staged code.
    pub(crate) staging: &'a Staging,
}

impl Functions<'_> {
    /// Updates functions to their staged code, and waits until they run it.
    pub(crate) fn update(&self, names: &[String]) -> Vec<(String, Outcome)> {
        // An update continues after the response, so start all of them before waiting.
        let started = self.for_each(names, |aws, function, archive| Ok(aws.update_function_code(function, archive)?));
        let (updating, ended): (Vec<_>, Vec<_>) =
            started.into_iter().partition(|(_, outcome)| matches!(outcome, Outcome::Live));
        let updating: Vec<_> = updating.into_iter().map(|(name, _)| name).collect();
        let mut outcomes = self.confirm(&updating);
        outcomes.extend(ended);
        outcomes
    }

    /// Waits until functions run their staged code.
    pub(crate) fn confirm(&self, names: &[String]) -> Vec<(String, Outcome)> {
        self.for_each(names, wait_until_live)
            .into_iter()
            .map(|(name, outcome)| match outcome {
                // The emulator no longer starts the earlier versions.
                Outcome::Live => {
                    let deleted = self.staging.delete_old_versions(&name);
                    (name, deleted.map_or_else(|error| Outcome::Failed(error.into()), |()| Outcome::Live))
                }
                other => (name, other),
            })
            .collect()
    }

    /// Calls `work` for each function with its name in the stack and its archive. `Live` means that it has succeeded.
    fn for_each(
        &self,
        names: &[String],
        work: impl Fn(&AwsClient, &str, &[u8]) -> anyhow::Result<()> + Sync,
    ) -> Vec<(String, Outcome)> {
        let waiting = Mutex::new(names.iter());
        let worker = || {
            let aws = AwsClient::new(self.target.clone());
            let mut outcomes = Vec::new();
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(name) = next else { return outcomes };
                let function = format!("{}-{name}", self.stack);
                let archive = self.staging.archive(name).map_err(anyhow::Error::from);
                let outcome = match archive.and_then(|archive| work(&aws, &function, &archive)) {
                    Ok(()) => Outcome::Live,
                    Err(error) if error.downcast_ref().is_some_and(AwsError::is_not_found) => Outcome::NotInStack,
                    Err(error) => Outcome::Failed(error),
                };
                outcomes.push((name.clone(), outcome));
            }
        };
        let mut outcomes: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS.min(names.len())).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        outcomes.sort_by(|(one, _), (other, _)| one.cmp(other));
        outcomes
    }
}

fn wait_until_live(aws: &AwsClient, function: &str, archive: &[u8]) -> anyhow::Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    while !aws.runs_code(function, archive)? {
        check_interrupted()?;
        if Instant::now() > deadline {
            bail!("it still runs other code after {} s; the emulator's log may have the reason", TIMEOUT.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ferrite_local_stack::functions::Binary;

    use super::*;

    /// Serves Lambda's API for one function, which runs other code for the first `polls` requests for its state, and then
    /// reports `status`. Counts these requests.
    fn lambda(polls: usize, status: &'static str, archive: Vec<u8>) -> (Target, Arc<AtomicUsize>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                let (response, body) = if !request.contains("/functions/app-known/") {
                    ("404 Not Found", "{}".to_owned())
                } else if request.starts_with("GET") {
                    let code = if count.fetch_add(1, Ordering::SeqCst) < polls { b"other" } else { archive.as_slice() };
                    let hash = AwsClient::code_hash(code);
                    ("200 OK", format!(r#"{{"LastUpdateStatus": "{status}", "CodeSha256": "{hash}"}}"#))
                } else {
                    ("200 OK", "{}".to_owned())
                };
                let head = format!("HTTP/1.1 {response}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        (Target::local(port), requests)
    }

    /// Reads a request, and returns its first line.
    fn read_request(stream: &mut TcpStream) -> String {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.to_lowercase());
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        reader.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
        lines.swap_remove(0).replacen("get", "GET", 1)
    }

    fn staging(test: &str) -> (PathBuf, Staging) {
        let folder = std::env::temp_dir().join(format!("ferrite-update-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let staging = Staging::open(&folder).unwrap();
        for name in ["known", "unknown"] {
            let path = folder.join(name);
            fs::write(&path, "code").unwrap();
            staging.put_launchers(&[Binary { name: name.to_owned(), path }]).unwrap();
        }
        (folder, staging)
    }

    #[test]
    fn function_is_live_when_lambda_reports_its_code() {
        let (folder, staging) = staging("live");
        let (target, requests) = lambda(2, "Successful", staging.archive("known").unwrap());
        let functions = Functions { target: &target, stack: "app", staging: &staging };
        let outcomes = functions.update(&["known".to_owned(), "unknown".to_owned()]);
        fs::remove_dir_all(folder).unwrap();
        let kinds: Vec<_> = outcomes.iter().map(|(name, outcome)| (name.as_str(), outcome)).collect();
        assert!(matches!(kinds[..], [("known", Outcome::Live), ("unknown", Outcome::NotInStack)]), "{kinds:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn function_has_failed_when_lambda_reports_a_failed_update() {
        let (folder, staging) = staging("failed");
        let (target, _) = lambda(0, "Failed", staging.archive("known").unwrap());
        let functions = Functions { target: &target, stack: "app", staging: &staging };
        let outcomes = functions.update(&["known".to_owned()]);
        fs::remove_dir_all(folder).unwrap();
        assert!(matches!(&outcomes[..], [(_, Outcome::Failed(_))]), "{outcomes:?}");
    }
}

//! Releases in a temporary repository.

use ferrite_project::Application;
use tempfile::TempDir;

use super::*;

/// A repository with the releases 1.0.0, 1.1.0 and 2.0.0-rc.1, and a later commit.
struct Fixture {
    folder: TempDir,
    commits: Vec<String>,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let source = folder.path().join("source");
        fs::create_dir(&source).unwrap();
        let git = Git::at(&source).with("GIT_COMMITTER_NAME", "Ada").with("GIT_COMMITTER_EMAIL", "ada@example.com");
        let git = git.with("GIT_AUTHOR_NAME", "Ada").with("GIT_AUTHOR_EMAIL", "ada@example.com");
        git.run(["init", "--quiet"]).unwrap();
        let mut commits = Vec::new();
        for (version, tag) in [("1.0.0", "v1.0.0"), ("1.1.0", "v1.1.0"), ("2.0.0-rc.1", "v2.0.0-rc.1"), ("1.1.0", "nightly")]
        {
            let manifest = format!("[workspace.package]\nversion = {version:?}\n");
            fs::write(source.join("Cargo.toml"), manifest).unwrap();
            git.run(["add", "--all"]).unwrap();
            git.run(["-c", "commit.gpgSign=false", "commit", "--quiet", "--allow-empty", "--message", tag]).unwrap();
            git.run(["-c", "tag.gpgSign=false", "tag", tag]).unwrap();
            commits.push(git.commit("HEAD").unwrap().unwrap());
        }
        Self { folder, commits }
    }

    fn source(&self) -> String {
        self.folder.path().join("source").display().to_string()
    }

    fn fetch(&self) -> Releases {
        Releases::fetch(&self.source(), &self.folder.path().join("upgrade")).unwrap()
    }

    fn record(&self, version: &str, commit: usize) -> ProjectRecord {
        ProjectRecord {
            name: "acme".to_owned(),
            application: Application::skeleton(),
            version: version.to_owned(),
            commit: self.commits[commit].clone(),
            source: self.source(),
        }
    }

    /// Chooses a release for a project that was created from 1.0.0, and returns its name.
    fn choose(&self, wanted: Option<&str>) -> String {
        self.fetch().choose(&self.record("1.0.0", 0), wanted).unwrap().unwrap().name()
    }
}

#[test]
fn chooses_the_newest_release_that_is_not_a_preview() {
    assert_eq!(Fixture::new().choose(None), "1.1.0");
}

#[test]
fn finds_releases_by_version_tag_or_commit() {
    let fixture = Fixture::new();
    let later = &fixture.commits[3];

    assert_eq!(fixture.choose(Some("1.1.0")), "1.1.0");
    assert_eq!(fixture.choose(Some("v2.0.0-rc.1")), "2.0.0-rc.1");
    assert_eq!(fixture.choose(Some(&fixture.commits[1][..10])), "1.1.0");
    assert_eq!(fixture.choose(Some(later)), format!("1.1.0-{}", &later[..7]));
}

#[test]
fn fetches_releases_that_were_added_later() {
    let fixture = Fixture::new();
    fixture.fetch();
    Git::at(&fixture.folder.path().join("source")).run(["tag", "v1.2.0", &fixture.commits[3]]).unwrap();

    assert_eq!(fixture.choose(None), "1.2.0");
}

#[test]
fn has_nothing_to_upgrade_if_the_project_has_the_newest_release() {
    let fixture = Fixture::new();

    assert_eq!(fixture.fetch().choose(&fixture.record("1.1.0", 1), None).unwrap(), None);
}

#[test]
fn a_later_commit_of_the_same_version_is_newer() {
    let fixture = Fixture::new();
    let later = fixture.commits[3].clone();

    let chosen = fixture.fetch().choose(&fixture.record("1.1.0", 1), Some(&later)).unwrap().unwrap();

    assert_eq!(chosen.commit, later);
}

#[test]
fn refuses_older_and_equal_releases() {
    let fixture = Fixture::new();
    let releases = fixture.fetch();

    for wanted in ["1.0.0", "v1.1.0", &fixture.commits[0]] {
        let error = releases.choose(&fixture.record("1.1.0", 1), Some(wanted)).unwrap_err().to_string();
        assert!(error.starts_with("the project already has version 1.1.0, and "), "{error}");
    }
}

#[test]
fn lists_the_releases_if_the_wanted_one_does_not_exist() {
    let fixture = Fixture::new();
    let releases = fixture.fetch();

    for wanted in ["3.0.0", "main", "0123456789"] {
        let error = releases.choose(&fixture.record("1.0.0", 0), Some(wanted)).unwrap_err().to_string();
        assert!(error.ends_with(&format!("has no release {wanted}; its releases: 1.0.0, 1.1.0, 2.0.0-rc.1")), "{error}");
    }
}

#[test]
fn refuses_a_record_of_a_commit_that_the_source_does_not_have() {
    let fixture = Fixture::new();
    let record = ProjectRecord { commit: "0123456789".to_owned(), ..fixture.record("1.0.0", 0) };

    let error = fixture.fetch().choose(&record, None).unwrap_err().to_string();

    assert!(error.starts_with("ferrite.toml records the commit 0123456789"), "{error}");
}

#[test]
fn names_a_source_that_cannot_be_fetched() {
    let folder = TempDir::new().unwrap();

    let error = Releases::fetch("/no/such/repository", folder.path()).err().unwrap();

    assert!(error.to_string().starts_with("cannot fetch /no/such/repository; if it has moved"), "{error}");
    assert!(format!("{error:#}").contains("'/no/such/repository'"), "the error has git's message: {error:#}");
}

#[test]
fn checks_out_a_release_again() {
    let fixture = Fixture::new();
    let releases = fixture.fetch();
    for _ in 0..2 {
        let folder = releases.checkout(&fixture.commits[0], "old").unwrap();
        assert!(fs::read_to_string(folder.join("Cargo.toml")).unwrap().contains("1.0.0"));
    }
}

#[test]
fn refuses_a_record_whose_version_is_invalid() {
    let fixture = Fixture::new();

    let error = fixture.fetch().choose(&fixture.record("newest", 0), None).unwrap_err().to_string();

    assert_eq!(error, "ferrite.toml records the version \"newest\", which is not a version");
}

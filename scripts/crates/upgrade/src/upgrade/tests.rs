//! Upgrades of small projects in temporary repositories.

use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

const LINES: usize = 40;

/// A project, and the folders that the generator would write for the old and the new release.
struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// A project that is the same as the old release.
    fn new() -> Self {
        let fixture = Self { folder: TempDir::new().unwrap() };
        for folder in ["base", "release", "project"] {
            fixture.write(folder, "kit/http.rs", &lines("http", &[]));
            fixture.write(folder, "kit/log.rs", &lines("log", &[]));
            fixture.write(folder, "app/note/main.rs", &lines("note", &[]));
            fixture.write(folder, "app/note/store.rs", &lines("store", &[]));
            fixture.write(folder, "app/lib.rs", &lines("lib", &[]));
            fixture.write(folder, ".gitignore", "/.ferrite/\n");
            fixture.script(folder, "test", "echo \"$@\" > .ferrite/arguments");
        }
        let record = "# Do not edit.\nname = \"acme\"\napplication = \"skeleton\"\nversion = \"1.0.0\"\ncommit = \"aaaaaaa\"\nsource = \"/ferrite\"\n";
        fixture.write("project", RECORD_FILE, record);
        fixture.write("source", "CHANGELOG.md", "## 1.1.0 - 2027-01-01\n\n### Manual steps\n\n- Set `A`.\n");
        Self::init(&fixture.git());
        fixture.commit();
        fixture
    }

    fn init(git: &Git) {
        for arguments in [
            ["init", "--quiet", "."],
            ["config", "user.name", "Ada"],
            ["config", "user.email", "ada@example.com"],
            ["config", "commit.gpgSign", "false"],
        ] {
            git.run(arguments).unwrap();
        }
    }

    fn path(&self, folder: &str) -> PathBuf {
        self.folder.path().join(folder)
    }

    fn checkout(&self) -> Checkout {
        Checkout::at(&self.path("project"))
    }

    fn git(&self) -> Git {
        Git::at(&self.path("project"))
    }

    fn write(&self, folder: &str, path: &str, text: &str) {
        let path = self.path(folder).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn script(&self, folder: &str, name: &str, text: &str) {
        let path = format!("scripts/{name}");
        self.write(folder, &path, &format!("#!/bin/sh\nset -e\nmkdir -p .ferrite\n{text}\n"));
        fs::set_permissions(self.path(folder).join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn remove(&self, folder: &str, path: &str) {
        fs::remove_file(self.path(folder).join(path)).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path("project").join(path)).unwrap()
    }

    fn exists(&self, path: &str) -> bool {
        self.path("project").join(path).exists()
    }

    fn commit(&self) -> String {
        self.git().run(["add", "--all"]).unwrap();
        self.git().run(["commit", "--quiet", "--message", "Change the project"]).unwrap();
        self.head()
    }

    fn head(&self) -> String {
        self.git().commit("HEAD").unwrap().unwrap()
    }

    fn status(&self) -> String {
        self.git().run(["status", "--porcelain", "--untracked-files=all"]).unwrap()
    }

    fn upgrade(&self) -> anyhow::Result<()> {
        let request = Request {
            project: self.path("project"),
            base: self.path("base"),
            source: self.path("source"),
            owned: vec!["app/lib.rs".to_owned()],
            generated: Vec::new(),
            version: Version::new(1, 1, 0),
            commit: "bbbbbbb".to_owned(),
            is_tagged: true,
            no_test: false,
        };
        let generated = Generated { generated: vec!["generated.txt".to_owned()], ..Generated::default() };
        check_ready(&self.git(), &self.checkout())?;
        merge_release(&self.checkout(), &self.git(), &request, &self.path("release"), &generated)
    }

    /// A project with an upgrade that has a conflict in `kit/http.rs`, and its commit before the upgrade.
    fn with_conflict() -> (Self, String) {
        let fixture = Self::new();
        fixture.write("project", "kit/http.rs", &lines("http", &[(5, "mine")]));
        fixture.write("release", "kit/http.rs", &lines("http", &[(5, "theirs")]));
        fixture.write("release", "kit/new.rs", "new\n");
        let start = fixture.commit();
        fixture.upgrade().unwrap_err();
        (fixture, start)
    }

    /// Asserts that the project is as it was at the commit `start`.
    fn assert_restored(&self, start: &str) {
        assert_eq!(self.head(), start);
        assert_eq!(self.status(), "");
        assert_eq!(State::load(&self.git()).unwrap(), None);
        assert_eq!(self.git().run(["for-each-ref", "refs/ferrite"]).unwrap(), "");
    }
}

/// The lines of a file, some of which are replaced.
fn lines(name: &str, replaced: &[(usize, &str)]) -> String {
    let line = |number| {
        let new = replaced.iter().find(|(replaced, _)| *replaced == number);
        new.map_or_else(|| format!("{name} {number}\n"), |(_, text)| format!("{text}\n"))
    };
    (1..=LINES).map(line).collect()
}

#[test]
fn commits_the_changes_of_both_sides() {
    let fixture = Fixture::new();
    fixture.write("project", "kit/http.rs", &lines("http", &[(5, "mine")]));
    fixture.write("project", "app/invoice/main.rs", "own\n");
    fixture.write("release", "kit/http.rs", &lines("http", &[(30, "theirs")]));
    fixture.write("release", "kit/new.rs", "new\n");
    fixture.remove("release", "kit/log.rs");
    let start = fixture.commit();

    fixture.upgrade().unwrap();

    assert_eq!(fixture.read("kit/http.rs"), lines("http", &[(5, "mine"), (30, "theirs")]));
    assert_eq!(fixture.read("app/invoice/main.rs"), "own\n");
    assert_eq!(fixture.read("kit/new.rs"), "new\n");
    assert!(!fixture.exists("kit/log.rs"));
    let record = "# Do not edit.\nname = \"acme\"\napplication = \"skeleton\"\nversion = \"1.1.0\"\ncommit = \"bbbbbbb\"\nsource = \"/ferrite\"\n";
    assert_eq!(fixture.read(RECORD_FILE), record);
    assert_eq!(fixture.read(".ferrite/arguments"), "--unit\n");
    assert_eq!(fixture.git().commit("HEAD^").unwrap(), Some(start));
    assert_eq!(fixture.git().run(["log", "-1", "--format=%s"]).unwrap(), "Upgrade Ferrite to 1.1.0");
    assert_eq!(fixture.status(), "");
}

#[test]
fn keeps_deleted_files_and_folders_deleted() {
    let fixture = Fixture::new();
    fixture.remove("project", "app/note/main.rs");
    fixture.remove("project", "app/note/store.rs");
    fixture.remove("project", "kit/log.rs");
    fixture.write("release", "app/note/main.rs", &lines("note", &[(3, "theirs")]));
    fixture.write("release", "app/note/rules.rs", "new\n");
    fixture.remove("release", "kit/log.rs");
    fixture.write("release", "kit/events.rs", &lines("log", &[(3, "theirs")]));
    fixture.commit();

    fixture.upgrade().unwrap();

    assert!(!fixture.exists("app/note/main.rs"));
    assert!(!fixture.exists("app/note/rules.rs"), "the project has deleted everything in this folder");
    assert!(!fixture.exists("kit/log.rs"));
    assert!(!fixture.exists("kit/events.rs"), "the release has only renamed the deleted file");
}

#[test]
fn does_not_mix_a_new_file_of_the_project_with_a_file_that_both_sides_have_deleted() {
    let fixture = Fixture::new();
    fixture.remove("project", "app/lib.rs");
    fixture.write("project", "app/own.rs", &lines("lib", &[(1, "mine")]));
    fixture.remove("release", "app/lib.rs");
    fixture.commit();

    fixture.upgrade().unwrap();

    assert_eq!(fixture.read("app/own.rs"), lines("lib", &[(1, "mine")]));
}

#[test]
fn keeps_a_changed_file_of_the_application_that_the_release_no_longer_has() {
    let fixture = Fixture::new();
    fixture.write("project", "app/lib.rs", &lines("lib", &[(1, "mine")]));
    fixture.remove("release", "app/lib.rs");
    fixture.commit();

    fixture.upgrade().unwrap();

    assert_eq!(fixture.read("app/lib.rs"), lines("lib", &[(1, "mine")]));
}

#[test]
fn adds_new_files_to_a_folder_that_the_project_has_renamed() {
    let fixture = Fixture::new();
    for file in ["main.rs", "store.rs"] {
        let path = fixture.path("project").join("app");
        fs::create_dir_all(path.join("memo")).unwrap();
        fs::rename(path.join("note").join(file), path.join("memo").join(file)).unwrap();
    }
    fixture.write("release", "app/note/rules.rs", "new\n");
    fixture.commit();

    fixture.upgrade().unwrap();

    assert_eq!(fixture.read("app/memo/rules.rs"), "new\n");
    assert!(!fixture.exists("app/note/rules.rs"));
}

#[test]
fn merges_manifests_by_key_and_lock_files_by_package() {
    let fixture = Fixture::new();
    let package = |name: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
    let write = |folder: &str, middle: &str| {
        fixture.write(folder, "deps.toml", &format!("[dependencies]\naws = 1\n{middle} = 1\ncsv = 1\n"));
        fixture.write(folder, "kit/Cargo.lock", &[package("aws"), package(middle), package("csv")].join("\n"));
        fixture.write(folder, "Cargo.lock", &[package("aws"), package(middle), package("csv")].join("\n"));
    };
    for (folder, middle) in [("base", "base"), ("project", "bytes"), ("release", "chrono")] {
        write(folder, middle);
    }
    fixture.commit();
    let tree = |folder: &str| write_folder(&fixture.git(), &fixture.path(folder)).unwrap();
    let sides = Sides {
        base: tree("base"),
        project: fixture.git().run(["rev-parse", "HEAD^{tree}"]).unwrap(),
        release: tree("release"),
        record: (fixture.read(RECORD_FILE), fixture.read(RECORD_FILE)),
        owned: BTreeSet::new(),
        generated: BTreeSet::from(["kit/Cargo.lock".to_owned()]),
    };

    let merged = merge(&fixture.git(), &sides, "1.1.0").unwrap();

    let read = |path: &str| fixture.git().run(["show", &format!("{}:{path}", merged.tree)]).unwrap() + "\n";
    assert_eq!(read("deps.toml"), "[dependencies]\naws = 1\nbytes = 1\ncsv = 1\nchrono = 1\n");
    assert_eq!(read("Cargo.lock"), [package("aws"), package("bytes"), package("chrono"), package("csv")].join("\n"));
    assert_eq!(read("kit/Cargo.lock"), [package("aws"), package("bytes"), package("csv")].join("\n"));
    assert!(merged.conflicts.is_empty(), "{:?}", merged.conflicts);
}

#[test]
fn merges_templates_by_entry_and_derives_their_lists_again() {
    let fixture = Fixture::new();
    let function = |id: &str, name: &str| {
        format!(
            "  {id}:\n    Type: AWS::Serverless::Function\n    Properties:\n      FunctionName: {name}\n      CodeUri: target/lambda/{name}/\n"
        )
    };
    let write = |folder: &str, names: &[(&str, &str)]| {
        let functions: Vec<_> = names.iter().map(|(id, name)| function(id, name)).collect();
        fixture.write(folder, "template.yaml", &format!("Resources:\n{}", functions.join("\n")));
        let names: Vec<_> = names.iter().map(|(_, name)| *name).collect();
        let list = format!("    - [{}]\n    - Alarm: {{Type: Alarm}}\n", names.join(", "));
        let each = format!("Resources:\n  Fn::ForEach::EachFunction:\n    - Function\n{list}");
        let others = "  Fn::ForEach::EachFailingFunction:\n    - Function\n";
        fixture.write(folder, "infra/operations.yaml", &format!("{each}\n{others}{list}"));
        let modules: Vec<_> = names.iter().map(|name| format!("mod {name};\n")).collect();
        fixture.write(folder, "tests/main.rs", &format!("//! Tests.\n\n{}\nuse kit::Api;\n", modules.concat()));
    };
    write("base", &[("B", "b")]);
    write("project", &[("B", "b"), ("D", "d")]);
    write("release", &[("B", "b"), ("C", "c")]);
    fixture.commit();

    fixture.upgrade().unwrap();

    let [b, c, d] = [("B", "b"), ("C", "c"), ("D", "d")].map(|(id, name)| function(id, name));
    assert_eq!(fixture.read("template.yaml"), format!("Resources:\n{b}\n{c}\n{d}"));
    assert!(fixture.read("infra/operations.yaml").contains("    - [b, d]\n"), "not left to ./scripts/generate");
    assert!(fixture.read("tests/main.rs").contains("mod b;\nmod c;\nmod d;\n"));
}

#[test]
fn applies_an_edit_of_the_project_to_the_file_that_the_release_has_renamed() {
    let fixture = Fixture::new();
    fixture.write("project", "kit/log.rs", &lines("log", &[(5, "mine")]));
    fixture.remove("release", "kit/log.rs");
    fixture.write("release", "kit/logs/format.rs", &lines("log", &[(30, "theirs")]));
    fixture.commit();

    fixture.upgrade().unwrap();

    assert!(!fixture.exists("kit/log.rs"));
    assert_eq!(fixture.read("kit/logs/format.rs"), lines("log", &[(5, "mine"), (30, "theirs")]));
}

#[test]
fn regenerates_files_before_the_commit() {
    let fixture = Fixture::new();
    fixture.script("release", "generate", "cat kit/http.rs app/lib.rs > generated.txt");
    fixture.write("release", "kit/http.rs", &lines("http", &[(1, "theirs")]));
    fixture.write("project", "app/lib.rs", &lines("lib", &[(1, "mine")]));
    fixture.commit();

    fixture.upgrade().unwrap();

    assert_eq!(fixture.read("generated.txt"), lines("http", &[(1, "theirs")]) + &lines("lib", &[(1, "mine")]));
    assert_eq!(fixture.status(), "");
}

#[test]
fn leaves_ordinary_conflicts_in_the_lines_that_both_sides_have_changed() {
    let (fixture, start) = Fixture::with_conflict();

    let conflict = "<<<<<<< ferrite/project\nmine\n=======\ntheirs\n>>>>>>> ferrite/1.1.0";
    assert_eq!(fixture.read("kit/http.rs"), lines("http", &[(5, conflict)]));
    assert_eq!(fixture.status(), format!("M  {RECORD_FILE}\nUU kit/http.rs\nA  kit/new.rs"));
    let stages = fixture.git().run(["ls-files", "--unmerged"]).unwrap();
    assert_eq!(stages.lines().count(), 3, "{stages}");
    assert_eq!(fixture.head(), start);
    let error = fixture.upgrade().unwrap_err().to_string();
    assert_eq!(error, "an upgrade to 1.1.0 is in progress; finish it with --continue or undo it with --abort");
}

#[test]
fn continues_after_the_conflicts_are_resolved() {
    let (fixture, start) = Fixture::with_conflict();
    let unmerged = resume(&fixture.checkout(), false).unwrap_err().to_string();
    fixture.git().run(["add", "kit/http.rs"]).unwrap();
    let marked = resume(&fixture.checkout(), false).unwrap_err().to_string();
    fixture.write("project", "kit/http.rs", &lines("http", &[(5, "both")]));

    resume(&fixture.checkout(), false).unwrap();

    assert_eq!(unmerged, "resolve these conflicts, and run git add for each file:\n  kit/http.rs");
    assert_eq!(marked, "remove the conflict markers from these files:\n  kit/http.rs");
    assert_eq!(fixture.git().commit("HEAD^").unwrap(), Some(start));
    assert_eq!(fixture.read("kit/http.rs"), lines("http", &[(5, "both")]));
    assert_eq!(fixture.status(), "");
}

#[test]
fn undoes_an_upgrade_with_conflicts() {
    let (fixture, start) = Fixture::with_conflict();
    fixture.write("project", "kit/untracked.rs", "written while resolving the conflict\n");
    let untracked = untracked(&fixture.git()).unwrap();

    abort(&fixture.checkout()).unwrap();

    assert_eq!(untracked, BTreeSet::from(["kit/untracked.rs".to_owned()]));
    assert!(!fixture.exists("kit/untracked.rs"));
    fixture.assert_restored(&start);
    assert_eq!(fixture.read("kit/http.rs"), lines("http", &[(5, "mine")]));
    assert!(!fixture.exists("kit/new.rs"));
}

#[test]
fn undoes_a_resolution_that_was_committed_with_git() {
    let (fixture, start) = Fixture::with_conflict();
    fixture.commit();

    abort(&fixture.checkout()).unwrap();

    fixture.assert_restored(&start);
}

/// A project whose upgrade was undone with `git reset`, with a later commit and an untracked file, and the commit.
fn undone_with_git() -> (Fixture, String) {
    let (fixture, start) = Fixture::with_conflict();
    fixture.git().run(["reset", "--quiet", "--hard", &start]).unwrap();
    fixture.write("project", "app/lib.rs", "later\n");
    let later = fixture.commit();
    fixture.write("project", "notes.txt", "untracked\n");
    (fixture, later)
}

#[test]
fn keeps_commits_and_files_after_an_upgrade_that_was_undone_with_git() {
    let (fixture, later) = undone_with_git();

    abort(&fixture.checkout()).unwrap();

    assert_eq!(fixture.read("notes.txt"), "untracked\n");
    fixture.remove("project", "notes.txt");
    fixture.assert_restored(&later);
}

#[test]
fn does_not_continue_an_upgrade_that_was_undone_with_git() {
    let (fixture, later) = undone_with_git();

    let error = resume(&fixture.checkout(), false).unwrap_err().to_string();

    assert_eq!(error, "the upgrade is already undone");
    fixture.remove("project", "notes.txt");
    fixture.assert_restored(&later);
}

#[test]
fn starts_again_after_an_upgrade_that_was_undone_with_git() {
    let (fixture, later) = undone_with_git();
    fixture.remove("project", "notes.txt");

    check_ready(&fixture.git(), &fixture.checkout()).unwrap();

    fixture.assert_restored(&later);
}

#[test]
fn undoes_a_committed_upgrade_only_without_later_commits() {
    let fixture = Fixture::new();
    fixture.write("release", "kit/http.rs", &lines("http", &[(5, "theirs")]));
    let start = fixture.head();
    fixture.upgrade().unwrap();
    let upgraded = fixture.head();
    fixture.write("project", "app/lib.rs", "later\n");
    let dirty = abort(&fixture.checkout()).unwrap_err().to_string();
    fixture.commit();
    let later = abort(&fixture.checkout()).unwrap_err().to_string();
    fixture.git().run(["reset", "--quiet", "--hard", &upgraded]).unwrap();

    abort(&fixture.checkout()).unwrap();

    assert_eq!(dirty, "the work tree has changes; commit or stash them first:\n   M app/lib.rs");
    assert_eq!(later, format!("there are commits after the upgrade; undo it with: git revert {upgraded}"));
    fixture.assert_restored(&start);
    assert!(abort(&fixture.checkout()).is_err(), "there is nothing left to undo");
}

#[test]
fn a_failing_test_leaves_the_merged_files_to_be_continued_or_undone() {
    let fixture = Fixture::new();
    fixture.script("release", "test", "exit 1");
    let start = fixture.head();

    fixture.upgrade().unwrap_err();

    assert_eq!(fixture.head(), start);
    assert_eq!(fixture.status(), format!("M  {RECORD_FILE}\nM  scripts/test"));
    fixture.script("project", "test", "exit 0");
    resume(&fixture.checkout(), false).unwrap();
    assert_eq!(fixture.status(), "");
    abort(&fixture.checkout()).unwrap();
    fixture.assert_restored(&start);
}

#[test]
fn undoes_an_upgrade_that_was_killed_while_it_replaced_the_files() {
    let (fixture, start) = Fixture::with_conflict();
    let git = fixture.git();
    git.run(["reset", "--quiet", "--hard"]).unwrap();
    let state = State::load(&git).unwrap().unwrap();
    State { phase: Phase::Applying, ..state }.save(&git).unwrap();
    fixture.write("project", "kit/new.rs", "half of the new fi");
    fixture.write("project", "kit/http.rs", "");
    fixture.write("project", ".git/index.lock", "");
    let resumed = resume(&fixture.checkout(), false).unwrap_err().to_string();

    abort(&fixture.checkout()).unwrap();

    assert_eq!(resumed, "the upgrade was interrupted; run ./scripts/upgrade --abort");
    fixture.assert_restored(&start);
}

#[test]
fn changes_nothing_if_an_ignored_file_has_the_path_of_a_new_file() {
    let fixture = Fixture::new();
    fixture.write("release", ".ferrite/new.rs", "new\n");
    fixture.write("project", ".ferrite/new.rs", "ignored\n");
    let start = fixture.head();

    let error = fixture.upgrade().unwrap_err();

    assert!(error.to_string().starts_with("git ignores these files"), "{error}");
    assert!(error.to_string().ends_with(":\n  .ferrite/new.rs"), "{error}");
    assert_eq!(fixture.read(".ferrite/new.rs"), "ignored\n");
    fixture.assert_restored(&start);
}

#[test]
fn refuses_a_project_with_uncommitted_or_untracked_files() {
    let fixture = Fixture::new();
    fixture.write("project", "kit/http.rs", "edited\n");
    fixture.write("project", "notes.txt", "untracked\n");

    let error = fixture.upgrade().unwrap_err().to_string();

    assert!(error.starts_with("the work tree has changes; commit them, or run git stash"), "{error}");
    assert!(error.ends_with(":\n   M kit/http.rs\n  ?? notes.txt"), "{error}");
    assert_eq!(fixture.read("kit/http.rs"), "edited\n");
}

#[test]
fn refuses_a_project_in_the_middle_of_a_merge() {
    let fixture = Fixture::new();
    fixture.write("project", ".git/MERGE_HEAD", &fixture.head());

    let error = fixture.upgrade().unwrap_err().to_string();

    assert_eq!(error, "a git merge is in progress; finish or abort it first");
}

#[test]
fn refuses_a_folder_without_a_record() {
    let fixture = Fixture::new();
    let folder = fixture.path("project").join("app");

    let error = check_ready(&Git::at(&folder), &Checkout::at(&folder)).unwrap_err().to_string();

    assert!(error.starts_with("this is not a project of ./scripts/new-project"), "{error}");
}

#[test]
fn upgrades_a_project_in_a_folder_of_a_repository() {
    let fixture = Fixture::new();
    fs::remove_dir_all(fixture.path("project").join(".git")).unwrap();
    let outer = Git::at(fixture.folder.path());
    fixture.write(".", "other.txt", "other\n");
    fixture.write(".", ".gitignore", "/base/\n/release/\n/source/\n");
    fixture.write("project", "kit/http.rs", &lines("http", &[(5, "mine")]));
    fixture.write("release", "kit/http.rs", &lines("http", &[(5, "theirs")]));
    fixture.write("release", "kit/new.rs", "new\n");
    Fixture::init(&outer);
    let start = fixture.commit();
    fixture.upgrade().unwrap_err();
    let status = fixture.status();
    fixture.git().run(["add", "--all"]).unwrap();
    let marked = resume(&fixture.checkout(), false).unwrap_err().to_string();

    abort(&fixture.checkout()).unwrap();

    assert!(marked.ends_with(":\n  project/kit/http.rs"), "{marked}");
    assert_eq!(status, "M  project/ferrite.toml\nUU project/kit/http.rs\nA  project/kit/new.rs");
    fixture.assert_restored(&start);
}

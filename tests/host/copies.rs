//! A host in one file and back: backups that are made while it works, and its record as lines of JSON.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::{Host, Project, Web, block_on, wait};
use crate::secrets::new_key;

const FILE: &str = "
environments:
  quick: { workflow: quick }
  asked: { workflow: quick, approvals: { rules: [{ groups: [operators] }] } }
  told: { workflow: told }
workflows:
  quick: { phases: [{ name: work, plugin: hostile-phase, config: { do: say, ms: 0 } }] }
  told: { phases: [{ name: work, plugin: http-request, config: { url: URL, secret: chat, headers: { Authorization: \"Bearer {{secret}}\" } } }] }
";

/// Puts what was restored where the host looks, with the token that its operator has.
pub fn take_over(host: &mut Host, restored: &Path) {
    host.kill();
    let old = host.place("old").join("data");
    fs::rename(host.data(), &old).unwrap();
    fs::rename(restored, host.data()).unwrap();
    fs::copy(old.join("admin-token"), host.data().join("admin-token")).unwrap();
    host.restart();
}

pub fn back_up(host: &Host) -> PathBuf {
    let file = host.place("backups").join("now.tar");
    let made = host.as_admin(&["backup", "create", "-o", file.to_str().unwrap()]);
    assert_eq!(made.code, Some(0), "{}", made.said);
    file
}

/// A data folder of a backup that is made now.
pub fn back_up_and_restore(host: &Host) -> PathBuf {
    let (file, restored) = (back_up(host), host.place("new").join("data"));
    let ran = host.command(&["backup", "restore", file.to_str().unwrap(), "--data", restored.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    restored
}

fn blob(host: &Host, digest: &str) -> PathBuf {
    let hex = digest.trim_start_matches("sha256:");
    host.data().join("blobs/sha256").join(&hex[..2]).join(hex)
}

#[test]
fn a_backup_that_breaks_off_is_none_and_says_why() {
    let host = Host::start();
    let digest = block_on(host.admin().client.upload_bundle(b"an artifact".to_vec())).unwrap();
    fs::write(blob(&host, &digest), "something else").unwrap();
    let folder = host.place("backups");
    let made = host.as_admin(&["backup", "create", "-o", folder.join("now.tar").to_str().unwrap()]);
    assert_eq!(made.code, Some(1), "{}", made.said);
    assert!(made.said.contains("the backup broke off") && made.said.contains("its log says why"), "{}", made.said);
    assert!(host.said().contains(&digest), "{}", host.said());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    let onto_a_folder = host.as_admin(&["backup", "create", "--force", "-o", folder.to_str().unwrap()]);
    assert_eq!(onto_a_folder.code, Some(2));
    assert!(onto_a_folder.said.contains("is no file"), "{}", onto_a_folder.said);
    let into_nothing = host.as_admin(&["backup", "create", "-o", folder.join("gone/now.tar").to_str().unwrap()]);
    assert_eq!(into_nothing.code, Some(2));
    assert!(
        into_nothing.said.contains("there is no folder") && into_nothing.said.contains("gone"),
        "{}",
        into_nothing.said
    );
}

#[test]
fn what_a_host_lacks_is_told_by_its_storage_its_log_and_its_backups() {
    let mut host = Host::start();
    host.plugin("hostile-phase", &[]);
    let project = Project::with_phase(&host, "shop", "hostile-phase", "{ do: done }");
    let web = project.ann.upload("web", b"pages".to_vec());
    project.release_with("v1", vec![web.clone()]);
    let is_whole = |host: &Host| host.as_admin(&["storage"]).code == Some(0);
    wait("the folder to be checked", || is_whole(&host).then_some(()));
    let folder = host.place("backups");
    let create = |host: &Host, file: &Path| host.as_admin(&["backup", "create", "-o", file.to_str().unwrap()]);

    fs::write(blob(&host, &web.digest), "something else").unwrap();
    let (first, second) = (folder.join("first.tar"), folder.join("second.tar"));
    assert!(create(&host, &first).said.contains("the backup broke off") && !first.exists());
    let made = create(&host, &second);
    assert_eq!(made.code, Some(1), "{}", made.said);
    let lacks = format!(
        "was made without 1 artifact, which the host lacks, too: artifact `web` of v1 in shop ({}",
        &web.digest[7..19]
    );
    assert!(made.said.contains(&lacks) && second.exists(), "{}", made.said);
    assert!(host.said().contains("this backup will not have all that is needed"), "{}", host.said());

    let restored = host.place("new").join("data");
    let ran = host.command(&["backup", "restore", second.to_str().unwrap(), "--data", restored.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    take_over(&mut host, &restored);
    wait("the log to tell", || {
        host.said().contains("the data folder lacks 1: artifact `web` of v1 in shop").then_some(())
    });
    let shown = host.as_admin(&["storage"]);
    assert_eq!(shown.code, Some(1), "{}", shown.out);
    for words in ["MISSING  1 artifact\n", "artifact `web` of v1 in shop", "`lockgate artifact push FILE`"] {
        assert!(shown.out.contains(words), "`{words}` is missing in: {}", shown.out);
    }
    assert!(shown.said.contains("the data folder lacks 1 artifact"), "{}", shown.said);
    let missing = block_on(project.ann.client.storage()).unwrap().missing;
    assert_eq!((missing.plugins, missing.artifacts, missing.first[0].digest.as_str()), (0, 1, web.digest.as_str()));

    project.ann.upload("web", b"pages".to_vec());
    assert!(is_whole(&host));
    back_up(&host);
}

#[test]
fn a_backup_that_is_stopped_leaves_no_file() {
    let host = Host::not_started();
    let folder = host.place("backups");
    for signal in ["INT", "TERM", "HUP"] {
        let endless = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", endless.local_addr().unwrap());
        let begins = thread::spawn(move || {
            answer(&endless, &format!("Connection: close\r\nContent-Length: {}\r\n\r\n{WHOLE}", WHOLE.len()));
            let mut reader = answer(&endless, "Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n");
            // As long as somebody reads.
            let _ = reader.read_to_end(&mut Vec::new());
        });
        let file = folder.join("now.tar");
        let (making, _input) = host.begin_reading_command(&[
            "backup",
            "create",
            "-o",
            file.to_str().unwrap(),
            "--url",
            &url,
            "--token",
            "lg_nobody",
        ]);
        wait("a part of a backup", || fs::read_dir(&folder).unwrap().next().map(drop));
        tell(&making, signal);
        let ended = making.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && said.contains("the backup was stopped"), "{said}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        begins.join().unwrap();
    }
}

/// What a host says of its storage.
const WHOLE: &str = r#"{"events":0,"dropped_events":0,"journal":{"status":"whole"},"segments_not_packed":0,"index":{"status":"whole"},"free_bytes":1}"#;

/// The next request, whatever it asks for.
fn answer(listener: &TcpListener, said: &str) -> TcpStream {
    let mut reader = listener.accept().unwrap().0;
    let mut request = BufReader::new(reader.try_clone().unwrap()).lines();
    while request.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    reader.write_all(format!("HTTP/1.1 200 OK\r\n{said}").as_bytes()).unwrap();
    reader
}

fn tell(process: &Child, signal: &str) {
    let told = Command::new("kill").args([&format!("-{signal}"), &process.id().to_string()]).status();
    assert!(told.unwrap().success());
}

/// Beginning with its first half. When this returns the folder is taken; whoever holds the rest keeps the command waiting.
fn begin_to_bring((process, mut input): (Child, ChildStdin), content: &[u8], to: &Path) -> (Child, ChildStdin) {
    input.write_all(&content[..content.len() / 2]).unwrap();
    wait("the folder to be taken", || to.join("journal.unfinished").is_dir().then_some(()));
    (process, input)
}

#[test]
fn what_is_stopped_on_its_way_into_a_folder_leaves_it_as_it_was() {
    let host = Host::start();
    let data = host.data_named();
    block_on(host.admin().client.upload_bundle(vec![7; 1 << 20])).unwrap();
    let backup = fs::read(back_up(&host)).unwrap();
    let export = host.command(&["journal", "export", &data]).stdout;
    let ways: [(&[&str], &[u8], &str); 2] = [
        (&["backup", "restore", "/dev/stdin"], &backup, "the restore was stopped"),
        (&["journal", "import", "-"], &export, "the import was stopped"),
    ];
    let (empty, missing) = (host.place("empty"), host.place("new"));
    for (way, content, sentence) in ways {
        for (signal, to) in [("INT", &empty), ("TERM", &missing.join("a/b")), ("HUP", &missing.join("c"))] {
            let arguments = [way, &["--data", to.to_str().unwrap()]].concat();
            let (process, _input) = begin_to_bring(host.begin_reading_command(&arguments), content, to);
            tell(&process, signal);
            let ended = process.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&ended.stderr);
            let expected =
                format!("stopping; once more stops at once\nerror: {sentence}; {} is as it was\n", to.display());
            assert_eq!((ended.status.code(), said.as_ref()), (Some(1), expected.as_str()), "{signal}");
            assert_eq!(fs::read_dir(&empty).unwrap().count() + fs::read_dir(&missing).unwrap().count(), 0);
        }
    }
}

#[test]
fn under_nohup_a_terminal_may_go() {
    let host = Host::start();
    block_on(host.admin().client.upload_bundle(vec![7; 1 << 20])).unwrap();
    let (backup, to) = (fs::read(back_up(&host)).unwrap(), host.place("new").join("data"));
    let arguments = ["backup", "restore", "/dev/stdin", "--data", to.to_str().unwrap()];
    let begun = host.begin_reading_command_without_hang_up(&arguments);
    let (process, mut input) = begin_to_bring(begun, &backup, &to);
    // Whether it is heard in time to stop anything would be chance.
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    assert_eq!(u64::from_str_radix(ignored.trim(), 16).unwrap() & 1, 1, "{status}");
    tell(&process, "HUP");
    input.write_all(&backup[backup.len() / 2..]).unwrap();
    drop(input);
    let ended = process.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(to.join("journal").is_dir());
}

#[test]
fn a_host_goes_on_from_a_backup_that_was_made_while_it_worked() {
    let mut host = Host::not_started();
    host.keys(&[&new_key(&host)]);
    host.restart();
    let web = Web::serving(host.place("web"));
    host.plugin("hostile-phase", &[]);
    let http = vec![lockgate::wire::HttpGrant::new(&web.url(), true)];
    host.plugin_with(
        "http-request",
        lockgate::wire::Grants { http, secrets: vec!["chat".to_owned()], ..Default::default() },
    );
    let secret = lockgate::wire::NewSecret {
        value: "value-of-the-chat-room".to_owned(),
        origins: vec![web.url()],
        headers: Vec::new(),
        project: None,
        environments: Vec::new(),
    };
    block_on(host.admin().client.set_secret("chat", &secret)).unwrap();
    let project = Project::create(&host, "shop", &FILE.replace("URL", &format!("\"{}/echo\"", web.url())));
    project.release("v1");
    let first = project.deploy("v1", "quick");
    project.assert_succeeds(first);
    let messages = || project.log(first, "work").into_iter().map(|line| line.message).collect::<Vec<_>>();
    let said = messages();
    assert!(!said.is_empty());
    let waiting = project.deploy("v1", "asked");
    project.wait_for_approval(waiting);

    let file = host.place("backups").join("monday.tar");
    let path = file.to_str().unwrap();
    // Others go on triggering: none of theirs may make it less whole.
    let (over, beside) = (AtomicBool::new(false), project.clone());
    thread::scope(|scope| {
        let triggers = scope.spawn(|| {
            for _ in 0..50 {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                beside.deploy("v1", "quick");
            }
        });
        let made = host.as_admin(&["backup", "create", "-o", path]);
        over.store(true, Ordering::Relaxed);
        triggers.join().unwrap();
        assert_eq!(made.code, Some(0), "{}", made.said);
        assert!(made.out.contains("The key of its secrets and the file admin-token are not in it"), "{}", made.out);
    });
    let again = host.as_admin(&["backup", "create", "-o", path]);
    assert_eq!(again.code, Some(2));
    assert!(again.said.contains("is there already"), "{}", again.said);
    let denied = block_on(host.person("ann", &[], "member").client.back_up()).err().unwrap();
    assert!(denied.to_string().contains("admin"), "{denied}");

    let restored = host.place("new").join("data");
    let ran = host.command(&["backup", "restore", path, "--data", restored.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let twice = host.command(&["backup", "restore", path, "--data", restored.to_str().unwrap()]);
    assert_eq!(twice.status.code(), Some(2), "{}", String::from_utf8_lossy(&twice.stderr));
    let verified = host.command(&["audit", "verify", restored.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));

    take_over(&mut host, &restored);
    project.assert_succeeds(first);
    assert_eq!(messages(), said);
    assert_eq!(project.live("quick").as_deref(), Some("v1"));
    project.approve(waiting);
    project.assert_succeeds(waiting);
    let told = project.deploy("v1", "told");
    project.assert_succeeds(told);
    assert!(web.seen().contains("authorization: Bearer value-of-the-chat-room"), "{}", web.seen());
    // What was under way at that moment comes to its end, too.
    project.deployments().iter().for_each(|one| project.assert_succeeds(one.number));
}

#[test]
fn an_export_of_what_was_imported_is_the_same_and_serves() {
    let mut host = Host::start();
    host.plugin("hostile-phase", &[]);
    let project = Project::with_phase(&host, "shop", "hostile-phase", "{ do: done }");
    project.release("v1");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);
    // Also while the host is there.
    let data = host.data();
    let exported = host.command(&["journal", "export", data.to_str().unwrap()]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let nobody = host.to_nobody(&["journal", "export", data.to_str().unwrap()]);
    assert_eq!(nobody, (Some(1), String::new()), "a part is no export, and nobody needs to hear of it");
    let file = host.place("export").join("journal.jsonl");
    fs::write(&file, &exported.stdout).unwrap();

    let imported = host.place("new").join("data");
    let (file, to) = (file.to_str().unwrap(), imported.to_str().unwrap());
    let ran = host.command(&["journal", "import", file, "--data", to]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(host.command(&["journal", "export", to]).stdout, exported.stdout);
    assert_eq!(host.command(&["journal", "import", file, "--data", to]).status.code(), Some(2));

    take_over(&mut host, &imported);
    project.assert_succeeds(number);
    assert_eq!(project.live("test").as_deref(), Some("v1"));
    // A journal alone: what it names has to be brought.
    let shown = host.as_admin(&["storage"]);
    assert_eq!(shown.code, Some(1), "{}", shown.out);
    assert!(shown.out.contains("MISSING  1 plugin\n") && shown.out.contains("plugin `hostile-phase`"), "{}", shown.out);
    host.plugin("hostile-phase", &[]);
    assert_eq!(host.as_admin(&["storage"]).code, Some(0));
}

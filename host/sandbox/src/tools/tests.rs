//! Tools that work, and others that do not: shell scripts, kept by this test program itself.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::OnceLock;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;

const AS_KEEPER: &str = "as-the-keeper";

/// This program, of which only that test runs.
fn keeper() -> ChildCommand {
    ChildCommand::this_program(["tools::tests::the_keeper_of_all_tests", "--exact", "--nocapture", AS_KEEPER]).unwrap()
}

#[test]
fn the_keeper_of_all_tests() {
    if std::env::args().any(|word| word == AS_KEEPER) {
        run_tool();
    }
}

/// What a test program says on its way to becoming a tool.
fn preamble() -> usize {
    static PREAMBLE: OnceLock<usize> = OnceLock::new();
    *PREAMBLE.get_or_init(|| {
        let bench = Bench::new("exit 0");
        bench.start("silent", &[]).unwrap();
        loop {
            let seen = look(&bench.room, "silent", 0).unwrap();
            if seen.is_done() {
                return seen.said.stdout.len();
            }
            std::thread::sleep(LOOK);
        }
    })
}

/// One room, and one tool that may be given anything.
struct Bench {
    place: TempDir,
    room: ToolRoom,
    grants: BTreeMap<String, ToolGrant>,
}

impl Bench {
    fn new(script: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let at = place.path().canonicalize().unwrap();
        let room = ToolRoom { folder: at.join("room"), workspace: at.join("workspace"), keeper: keeper() };
        room.open().unwrap();
        fs::create_dir(&room.workspace).unwrap();
        let program = at.join("tool");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let grant = ToolGrant {
            path: program.to_str().unwrap().to_owned(),
            digest: examine(&program).unwrap().digest,
            args: vec![vec!["{(?s).*}...".to_owned()]],
            env: BTreeMap::from([("MINE".to_owned(), None), ("PATH".to_owned(), Some("/usr/bin:/bin".to_owned()))]),
            limits: ToolLimits::default(),
        };
        Self { place, room, grants: BTreeMap::from([("tool".to_owned(), grant)]) }
    }

    fn grant(mut self, change: impl FnOnce(&mut ToolGrant)) -> Self {
        change(self.grants.get_mut("tool").unwrap());
        self
    }

    fn limits(self, change: impl FnOnce(&mut ToolLimits)) -> Self {
        self.grant(|grant| change(&mut grant.limits))
    }

    fn command(&self, args: &[&str]) -> ToolCommand {
        let args = args.iter().map(|word| word.to_string()).collect();
        ToolCommand { tool: "tool".to_owned(), args, env: Vec::new(), stdin: Vec::new(), timeout_ms: 0 }
    }

    fn start(&self, key: &str, args: &[&str]) -> Result<(), Failure> {
        self.start_command(key, self.command(args))
    }

    fn start_command(&self, key: &str, command: ToolCommand) -> Result<(), Failure> {
        start(&self.room, key, allowed(&self.grants, Some(&self.room), command)?)
    }

    fn look(&self, key: &str, offset: usize) -> Result<Seen, Failure> {
        if offset > 0 {
            return look(&self.room, key, u32::try_from(preamble() + offset).unwrap());
        }
        let mut seen = look(&self.room, key, 0)?;
        // Of what was said in all, stderr may be the first: nobody knows which pipe is read first.
        let stdout = &mut seen.said.stdout;
        stdout.drain(..preamble().min(stdout.len()));
        Ok(seen)
    }

    /// To its end.
    fn end(&self, key: &str) -> Result<Seen, Failure> {
        self.until(key, |seen| seen.is_done())
    }

    fn until(&self, key: &str, enough: impl Fn(&Seen) -> bool) -> Result<Seen, Failure> {
        wait(&format!("the tool of {key}"), || match self.look(key, 0) {
            Ok(seen) => enough(&seen).then_some(Ok(seen)),
            Err(failure) => Some(Err(failure)),
        })
    }

    fn says(&self, args: &[&str], expected: Expect) {
        self.start("key", args).unwrap();
        let Seen { code, said, .. } = self.end("key").unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let workspace = self.room.workspace.display().to_string();
        let said = format!("{}{}exit {}", text(said.stdout), text(said.stderr), code.unwrap());
        expected.assert_eq(&said.replace(&workspace, "WORKSPACE"));
    }

    /// Waits until the script has made this file in the workspace.
    fn file(&self, name: &str) -> String {
        let path = self.room.workspace.join(name);
        wait(&format!("the file {name}"), || fs::read_to_string(&path).ok().filter(|text| text.ends_with('\n')))
    }

    /// Processes that work in the workspace: whatever came of the tool.
    fn left(&self) -> Vec<u32> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let there = processes.filter(|process| {
            fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder.starts_with(&self.room.workspace))
        });
        there.filter_map(|process| process.file_name().to_str()?.parse().ok()).collect()
    }

    fn keeper(&self, key: &str) -> Pid {
        let taken = RunFolder::of(&self.room.folder, key).taken().unwrap().unwrap();
        Pid::from_raw(taken.keeper as i32).unwrap()
    }

    /// Why a run was not left to end by itself.
    fn limit(&self, args: &[&str]) -> String {
        self.start("key", args).unwrap();
        let failure = self.end("key").unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retry), ("limit", Retry::Never), "{failure:?}");
        assert_eq!(self.left(), Vec::<u32>::new());
        failure.details["limit"].as_str().unwrap().to_owned()
    }
}

/// Nothing of a test may run on.
impl Drop for Bench {
    fn drop(&mut self) {
        let _ = ToolRoom::close(&self.room.folder);
    }
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(LOOK);
    }
}

fn code(outcome: Result<impl std::fmt::Debug, Failure>) -> String {
    outcome.unwrap_err().code
}

// What it has.

#[test]
fn a_tool_has_its_arguments_and_nothing_of_its_host() {
    let bench =
        Bench::new(r#"pwd; env | sort; for word in "$@"; do echo "<$word>"; done; wc -c; ls /proc/self/fd | wc -l"#);
    let mut command = bench.command(&["one", "two words", "$(touch x); *", "line\nbreak", ""]);
    command.env = vec![("MINE".to_owned(), "v".to_owned())];
    command.stdin = b"12345".to_vec();
    bench.start_command("key", command).unwrap();
    let seen = bench.end("key").unwrap();
    let said = String::from_utf8(seen.said.stdout).unwrap();
    // `PWD` is the shell's own; the descriptors are three and that of the listing.
    let said = said.replace(bench.room.workspace.to_str().unwrap(), "WORKSPACE");
    expect![[r#"
        WORKSPACE
        MINE=v
        PATH=/usr/bin:/bin
        PWD=WORKSPACE
        <one>
        <two words>
        <$(touch x); *>
        <line
        break>
        <>
        5
        4
    "#]]
    .assert_eq(&said);
    assert_eq!((seen.code, seen.truncated), (Some(0), false));
}

#[test]
fn a_tool_is_confined_before_it_starts() {
    let bench = Bench::new("grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -t; ulimit -d; ulimit -n; exit 7");
    bench.limits(|limits| (limits.cpu_ms, limits.memory_bytes) = (1_500, 64 << 20)).says(
        &[],
        expect![[r#"
            NoNewPrivs:	1
            0
            2
            65536
            4096
            exit 7"#]],
    );
}

#[test]
fn a_tool_is_in_a_session_without_its_host() {
    let bench = Bench::new(
        r#"read -r pid name state parent group session rest < /proc/self/stat; echo $session $group $pid > ids; sleep 100"#,
    );
    bench.start("key", &[]).unwrap();
    let ids: Vec<u32> = bench.file("ids").split_whitespace().map(|id| id.parse().unwrap()).collect();
    let keeper = bench.keeper("key").as_raw_pid().unsigned_abs();
    assert_eq!(ids[0], keeper);
    assert_eq!(tree::descendants(keeper)[0], ids[1]);
}

// What is denied.

#[test]
fn what_was_not_granted_is_denied_and_nothing_is_started() {
    let bench = Bench::new(": > started").grant(|grant| {
        grant.args = vec![vec!["get".to_owned(), "{[a-z]+}".to_owned()], vec![]];
        grant.env.insert("FIXED".to_owned(), Some("operator".to_owned()));
    });
    let other = |change: fn(&mut ToolCommand)| {
        let mut command = bench.command(&["get", "pods"]);
        change(&mut command);
        allowed(&bench.grants, Some(&bench.room), command).map(drop)
    };
    let set = |name: &str| vec![(name.to_owned(), "v".to_owned())];
    assert_eq!(other(|_| {}), Ok(()));
    assert_eq!(other(|command| command.args.clear()), Ok(()));
    for (refused, expected) in [
        (other(|command| command.tool = "/bin/sh".to_owned()), "denied"),
        (other(|command| command.tool = "tool/../tool".to_owned()), "denied"),
        (other(|command| command.args[1] = "pods\n".to_owned()), "denied"),
        (other(|command| command.args[1] = "-o".to_owned()), "denied"),
        (other(|command| command.args.push("x".to_owned())), "denied"),
        (other(|command| command.args[1] = "pods\0".to_owned()), "invalid-request"),
        (other(|command| command.stdin = vec![0; MOST_STDIN_BYTES + 1]), "limit"),
        (other(|command| command.args[1] = "x".repeat(MOST_ARGUMENT_BYTES)), "limit"),
    ] {
        assert_eq!(code(refused), expected);
    }
    for (env, expected) in [
        (set("FIXED"), "denied"),
        (set("PATH"), "denied"),
        (set("LD_PRELOAD"), "denied"),
        ([set("MINE"), set("MINE")].concat(), "invalid-request"),
        (vec![("MINE".to_owned(), "a\0b".to_owned())], "invalid-request"),
    ] {
        let command = ToolCommand { env, ..bench.command(&["get", "pods"]) };
        assert_eq!(code(allowed(&bench.grants, Some(&bench.room), command)), expected);
    }
    assert_eq!(code(allowed(&bench.grants, None, bench.command(&[]))), "denied");
    assert_eq!(runs(&bench.room.folder).unwrap().len(), 0);
}

#[test]
fn who_is_denied_hears_what_is_allowed() {
    let bench = Bench::new("").grant(|grant| grant.args = vec![vec!["get".to_owned(), "{[a-z]+}".to_owned()], vec![]]);
    let refused = bench.start("key", &["rm", "-rf"]).unwrap_err();
    expect!["2 arguments for the tool `tool` fit none of what is granted: get {[a-z]+}; or none"]
        .assert_eq(&refused.message);
    let command = ToolCommand { env: vec![("HOME".to_owned(), String::new())], ..bench.command(&[]) };
    expect!["the variable `HOME` of the tool `tool` is not the plugin's to set; it may set: MINE"]
        .assert_eq(&bench.start_command("key", command).unwrap_err().message);
}

#[test]
fn another_program_at_its_path_is_not_started() {
    let bench = Bench::new(": > started");
    let program = PathBuf::from(&bench.grants["tool"].path);
    let granted = fs::read(&program).unwrap();
    fs::write(&program, "#!/bin/sh\n: > started # by somebody else\n").unwrap();
    let refused = bench.start("key", &[]).unwrap_err();
    assert_eq!(refused.code, "denied");
    assert!(refused.message.starts_with("the program of the tool `tool` has changed: "), "{}", refused.message);
    // The very same bytes, by a link.
    let elsewhere = bench.place.path().join("elsewhere");
    fs::rename(&program, &elsewhere).unwrap();
    fs::write(&elsewhere, &granted).unwrap();
    symlink(&elsewhere, &program).unwrap();
    let refused = bench.start("key", &[]).unwrap_err();
    assert_eq!(refused.code, "denied");
    assert!(refused.message.contains("elsewhere now"), "{}", refused.message);
    fs::remove_file(&program).unwrap();
    assert_eq!(code(bench.start("key", &[])), "tool-unusable");
    assert!(!bench.room.workspace.join("started").exists());
    fs::rename(&elsewhere, &program).unwrap();
    bench.start("key", &[]).unwrap();
    assert_eq!(bench.end("key").unwrap().code, Some(0));
}

#[test]
fn what_the_system_does_not_run_says_so_and_takes_no_key() {
    let bench = Bench::new("echo works");
    let program = PathBuf::from(&bench.grants["tool"].path);
    fs::write(&program, "#!/nowhere/interpreter\n").unwrap();
    let broken = examine(&program).unwrap().digest;
    let mut bench = bench.grant(|grant| grant.digest = broken);
    let refused = bench.start("key", &[]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.retry), ("tool-unusable", Retry::Never));
    assert!(refused.message.contains("No such file"), "{}", refused.message);
    fs::write(&program, "#!/bin/sh\necho works\n").unwrap();
    let digest = examine(&program).unwrap().digest;
    bench = bench.grant(|grant| grant.digest = digest);
    bench.says(
        &[],
        expect![[r#"
        works
        exit 0"#]],
    );
}

// Keys.

#[test]
fn the_same_key_is_the_same_run() {
    let bench = Bench::new("echo once >> effects; exit 3");
    for _ in 0..3 {
        bench.start("key", &["a"]).unwrap();
    }
    assert_eq!(bench.end("key").unwrap().code, Some(3));
    bench.start("key", &["a"]).unwrap();
    assert_eq!(bench.end("key").unwrap().code, Some(3));
    assert_eq!(bench.file("effects"), "once\n");
    let refused = bench.start("key", &["b"]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.retry), ("tool-key-reused", Retry::Never));
    bench.start("another", &["b"]).unwrap();
    bench.end("another").unwrap();
    assert_eq!(bench.file("effects"), "once\nonce\n");
}

#[test]
fn starts_at_the_same_time_are_one() {
    let bench = Bench::new("echo once >> effects");
    std::thread::scope(|scope| (0..6).for_each(|_| drop(scope.spawn(|| bench.start("key", &[]).unwrap()))));
    bench.end("key").unwrap();
    assert_eq!(bench.file("effects"), "once\n");
}

#[test]
fn a_key_is_no_path() {
    let bench = Bench::new("echo here");
    let before = fs::read_dir(bench.place.path()).unwrap().count();
    for key in ["../../escaped", "/tmp/escaped", "a/b", ".", "..", "closed", "door", "\u{0}", "new\nline"] {
        bench.start(key, &[]).unwrap();
        assert_eq!(bench.end(key).unwrap().said.stdout, b"here\n", "{key:?}");
    }
    assert_eq!(fs::read_dir(bench.place.path()).unwrap().count(), before);
    assert_eq!(runs(&bench.room.folder).unwrap().len(), 9);
    for key in ["", &"x".repeat(257)] {
        assert_eq!(code(bench.start(key, &[])), "invalid-request");
    }
    assert_eq!(code(bench.look("never-started", 0)), "tool-unknown");
}

#[test]
fn so_many_tools_run_at_a_time() {
    let bench = Bench::new("exec sleep 1000");
    for number in 0..MOST_AT_ONCE {
        bench.start(&number.to_string(), &[]).unwrap();
    }
    let refused = bench.start("one more", &[]).unwrap_err();
    assert_eq!((refused.code.as_str(), refused.retry), ("limit", Retry::SameKey));
}

// What it says.

#[test]
fn a_flood_is_cut_and_does_not_hold_the_tool_up() {
    let bench = Bench::new("head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2; exit 5");
    let limit = 100_000 + preamble() as u64;
    let bench = bench.limits(|limits| limits.output_bytes = limit);
    bench.start("key", &[]).unwrap();
    let seen = bench.end("key").unwrap();
    assert_eq!((seen.code, seen.truncated, seen.said.end), (Some(5), true, limit));
    let file = fs::metadata(RunFolder::of(&bench.room.folder, "key").output()).unwrap();
    assert!(file.len() < limit + 10_000, "{} bytes", file.len());
}

#[test]
fn a_large_output_comes_piece_by_piece() {
    let bench = Bench::new("head -c 700000 /dev/zero");
    bench.start("key", &[]).unwrap();
    let (mut offset, mut pieces) = (0, 0);
    wait("all of it", || {
        let seen = bench.look("key", offset).ok()?;
        assert!(seen.said.stdout.len() <= MOST_SAID_BYTES);
        offset += seen.said.stdout.len();
        pieces += usize::from(!seen.said.stdout.is_empty());
        seen.is_done().then_some(())
    });
    assert_eq!(offset, 700_000);
    assert!(pieces >= 3);
}

#[test]
fn bytes_that_are_no_text_arrive_as_they_are() {
    let bench = Bench::new(r"printf '\377\376a\0b'; printf '\300' >&2");
    bench.start("key", &[]).unwrap();
    let said = bench.end("key").unwrap().said;
    assert_eq!((said.stdout.as_slice(), said.stderr.as_slice()), (&b"\xff\xfea\0b"[..], &b"\xc0"[..]));
}

#[test]
fn an_offset_beyond_the_end_is_a_mistake() {
    let bench = Bench::new("printf abc");
    bench.start("key", &[]).unwrap();
    bench.end("key").unwrap();
    assert_eq!(bench.look("key", 3).unwrap().said.stdout, b"");
    let refused = bench.look("key", 4).unwrap_err();
    assert_eq!(refused.code, "invalid-request");
    assert!(refused.message.contains("is beyond the end"), "{}", refused.message);
}

#[test]
fn a_large_standard_input_is_read_to_its_end() {
    let bench = Bench::new("wc -c");
    let command = ToolCommand { stdin: vec![b'x'; MOST_STDIN_BYTES], ..bench.command(&[]) };
    bench.start_command("key", command).unwrap();
    assert_eq!(bench.end("key").unwrap().said.stdout, b"8388608\n");
    assert!(!RunFolder::of(&bench.room.folder, "key").stdin().exists());
}

// Limits.

#[test]
fn a_tool_that_takes_too_long_is_killed_with_all_it_started() {
    let bench = Bench::new("sleep 1000 & sleep 1000").limits(|limits| limits.wall_ms = 200);
    assert_eq!(bench.limit(&[]), "wall_ms");
}

#[test]
fn a_plugin_may_want_less_time_than_was_granted_and_never_more() {
    let bench = Bench::new("").limits(|limits| limits.wall_ms = 1_000);
    for (asked, expected) in [(0, 1_000), (300, 300), (5_000, 1_000)] {
        let command = ToolCommand { timeout_ms: asked, ..bench.command(&[]) };
        assert_eq!(allowed(&bench.grants, Some(&bench.room), command).unwrap().program.limits.wall_ms, expected);
    }
}

#[test]
fn processor_time_is_that_of_all_processes_together() {
    let bench = Bench::new("for i in 1 2 3 4; do sh -c 'while :; do :; done' & done; wait");
    assert_eq!(bench.limits(|limits| limits.cpu_ms = 1_000).limit(&[]), "cpu_ms");
    // Also of those that have ended, with a parent that waits for them and without.
    const BURN: &str = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done";
    let children = format!("while :; do sh -c '{BURN}'; done");
    let orphans = format!("mkfifo f; while :; do (sh -c '{BURN}; echo > f' &); read x < f; done");
    for script in [children, orphans] {
        let bench = Bench::new(&script).limits(|limits| (limits.cpu_ms, limits.wall_ms) = (1_000, 60_000));
        assert_eq!(bench.limit(&[]), "cpu_ms", "{script}");
    }
}

#[test]
fn memory_is_that_of_all_processes_together() {
    let bench = Bench::new(
        r#"for i in 1 2 3 4; do sh -c 'x=$(head -c 30000000 /dev/zero | tr "\0" x); sleep 1000' & done; wait"#,
    );
    assert_eq!(bench.limits(|limits| limits.memory_bytes = 80 << 20).limit(&[]), "memory_bytes");
}

#[test]
fn a_bomb_of_processes_is_killed_to_the_last() {
    let bench = Bench::new("while :; do setsid sleep 1000 & done").limits(|limits| limits.processes = 20);
    assert_eq!(bench.limit(&[]), "processes");
}

#[test]
fn last_words_come_with_a_limit() {
    let bench =
        Bench::new("echo before; echo too slow >&2; echo > ready; sleep 1000").limits(|limits| limits.wall_ms = 5_000);
    bench.start("key", &[]).unwrap();
    bench.file("ready");
    let failure = bench.end("key").unwrap_err();
    assert_eq!(failure.details["last_words"], "too slow\n");
}

// Its end.

#[test]
fn a_tool_that_heeds_the_signal_ends_in_its_own_way() {
    let bench = Bench::new("trap 'echo tidied; exit 9' TERM; echo > ready; while :; do sleep 0.01; done");
    bench.start("key", &[]).unwrap();
    bench.file("ready");
    stop(&bench.room, "key").unwrap();
    stop(&bench.room, "key").unwrap();
    let seen = bench.end("key").unwrap();
    assert_eq!((seen.code, seen.said.stdout.as_slice()), (Some(9), &b"tidied\n"[..]));
    stop(&bench.room, "key").unwrap();
    stop(&bench.room, "never-started").unwrap();
}

#[test]
fn a_tool_that_ignores_the_signal_is_killed() {
    let bench = Bench::new("trap '' TERM; echo > ready; while :; do sleep 1000; done");
    bench.start("key", &[]).unwrap();
    bench.file("ready");
    stop(&bench.room, "key").unwrap();
    assert_eq!(bench.end("key").unwrap().code, Some(128 + 9));
    assert_eq!(bench.left(), Vec::<u32>::new());
}

#[test]
fn what_a_tool_leaves_behind_does_not_go_on() {
    let bench = Bench::new(
        "setsid sh -c 'setsid sleep 1000 & echo > ready; sleep 1000' & while [ ! -e ready ]; do :; done; exit 4",
    );
    bench.start("key", &[]).unwrap();
    assert_eq!(bench.end("key").unwrap().code, Some(4));
    assert_eq!(bench.left(), Vec::<u32>::new());
}

#[test]
fn a_tool_whose_keeper_was_killed_is_lost_and_is_not_started_again() {
    let bench = Bench::new("echo once >> effects; exec sleep 1000");
    bench.start("key", &[]).unwrap();
    assert_eq!(bench.file("effects"), "once\n");
    kill_process(bench.keeper("key"), Signal::KILL).unwrap();
    let failure = bench.end("key").unwrap_err();
    assert_eq!((failure.code.as_str(), failure.retry), ("tool-lost", Retry::Never));
    bench.start("key", &[]).unwrap();
    assert_eq!(code(bench.look("key", 0)), "tool-lost");
    assert_eq!(bench.file("effects"), "once\n");
    wait("the tool to go with it", || bench.left().is_empty().then_some(()));
}

#[test]
fn a_room_that_is_closed_kills_what_runs_and_starts_nothing_more() {
    let bench = Bench::new("setsid sleep 1000 & trap '' TERM; echo > ready; while :; do sleep 1000; done");
    bench.start("key", &[]).unwrap();
    bench.file("ready");
    ToolRoom::close(&bench.room.folder).unwrap();
    assert_eq!(bench.left(), Vec::<u32>::new());
    assert_eq!(code(bench.look("key", 0)), "cancelled");
    assert_eq!(code(bench.start("another", &[])), "cancelled");
    // Also one that was never opened.
    let never = bench.place.path().join("never");
    ToolRoom::close(&never).unwrap();
    let room = ToolRoom { folder: never, ..bench.room.clone() };
    let command = allowed(&bench.grants, Some(&room), bench.command(&[])).unwrap();
    assert_eq!(code(start(&room, "key", command)), "cancelled");
}

#[test]
fn a_keeper_that_does_not_hear_is_killed_with_its_tool() {
    let bench = Bench::new("setsid sleep 1000 & echo > ready; sleep 1000");
    bench.start("key", &[]).unwrap();
    bench.file("ready");
    kill_process(bench.keeper("key"), Signal::STOP).unwrap();
    ToolRoom::close(&bench.room.folder).unwrap();
    wait("all to be gone", || bench.left().is_empty().then_some(()));
    assert_eq!(code(bench.look("key", 0)), "tool-lost");
}

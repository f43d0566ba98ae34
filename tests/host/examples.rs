//! The sessions in `examples` do what they say: their commands are taken from the page and run as they stand there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Host, Project, Web, binary, component};

#[test]
fn the_session_of_the_site_goes_live() {
    let host = Host::start();
    let folder = host.place("session");
    let (site, room) = (Web::serving(host.place("shop/production").join("current")), Web::serving(host.place("room")));
    host.place("shop/staging");
    // What the page takes for granted: the folders and the two servers, under other names.
    let here = |text: String| {
        text.replace("/srv/shop", host.place("shop").to_str().unwrap())
            .replace("http://127.0.0.1:8080", &site.url())
            .replace("http://127.0.0.1:9000", &room.url())
    };
    fs::write(folder.join("lockgate.yaml"), here(example("site/lockgate.yaml"))).unwrap();
    for package in ["static-site", "http-check", "http-request"] {
        fs::write(folder.join(format!("{}.wasm", package.replace('-', "_"))), component(package)).unwrap();
    }

    let (before, after) = here(example("site/README.md")).split_once("$ BEN=").map(both_owned).unwrap();
    play(&host, &folder, &commands(&before));
    let shop = Project::of(&host, "shop");
    shop.wait_for_approval(2);
    play(&host, &folder, &commands(&format!("$ BEN={after}")));

    shop.assert_succeeds(2);
    let index = fs::read_to_string(host.place("shop/production").join("current/index.html")).unwrap();
    assert_eq!(index, "<h1>The shop</h1>\n");
    assert_eq!(room.heard().len(), 2, "{:?}", room.heard());
}

#[test]
fn the_first_page_of_the_readme_goes_live() {
    let host = Host::start();
    let folder = host.place("session");
    let built = folder.join("target/wasm32-wasip2/guest");
    for made in [&built, &folder.join("lockgate-data"), &folder.join("examples/hello/web")] {
        fs::create_dir_all(made).unwrap();
    }
    fs::copy(host.data().join("admin-token"), folder.join("lockgate-data/admin-token")).unwrap();
    fs::write(built.join("static_site.wasm"), component("static-site")).unwrap();
    for file in ["hello/lockgate.yaml", "hello/web/index.html"] {
        fs::write(folder.join("examples").join(file), example(file)).unwrap();
    }

    let page = example("../README.md");
    let (_, session) = page.split_once("$ export LOCKGATE_TOKEN").unwrap();
    let (session, _) = session.split_once("```").unwrap();
    play(&host, &folder, &commands(&format!("$ export LOCKGATE_TOKEN{session}")));
    Project::of(&host, "hello").assert_succeeds(1);
    assert_eq!(fs::read_to_string(folder.join("page/current/index.html")).unwrap(), example("hello/web/index.html"));
}

fn both_owned((before, after): (&str, &str)) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

pub fn example(path: &str) -> String {
    fs::read_to_string(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples")).join(path)).unwrap()
}

/// What follows a `$` at the beginning of a line.
pub fn commands(page: &str) -> String {
    page.lines().filter_map(|line| line.strip_prefix("$ ")).map(|line| format!("{line}\n")).collect()
}

/// Stops at the first command that fails, and shows what was said until there.
pub fn play(host: &Host, folder: &Path, commands: &str) {
    assert!(!commands.is_empty());
    let path = std::env::join_paths(
        [binary().parent().unwrap().to_owned()].into_iter().chain(["/usr/bin", "/bin"].map(PathBuf::from)),
    );
    let played = Command::new("sh")
        .args(["-e", "-x", "-c", commands])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path.unwrap())
        .env("LOCKGATE_PROJECT", "shop")
        .env("LOCKGATE_URL", format!("http://{}", host.address()))
        .env("LOCKGATE_TOKEN", fs::read_to_string(host.data().join("admin-token")).unwrap().trim())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [played.stdout, played.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(played.status.success(), "{}", said.concat());
}

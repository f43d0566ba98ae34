use super::*;
use crate::trust::Attested;

fn admin(name: &str) -> Token {
    Token {
        name: name.to_owned(),
        secret_hash: Digest::of(name.as_bytes()),
        person: name.to_owned(),
        groups: BTreeSet::new(),
        role: Role::Admin,
        created_at: Timestamp(0),
        revoked: false,
    }
}

fn by() -> Actor {
    Actor { person: "ann".to_owned(), groups: BTreeSet::new(), via: "cli".to_owned() }
}

fn send(state: &mut SystemState, command: SystemCommand) -> Result<usize, SystemRejection> {
    let events = handle(state, command, Timestamp(1))?;
    events.iter().for_each(|event| state.apply(event));
    Ok(events.len())
}

#[test]
fn the_last_administrator_cannot_be_locked_out() {
    let mut state = SystemState::default();
    send(&mut state, SystemCommand::CreateToken { token: admin("root"), by: by() }).unwrap();
    let revoke = |name: &str| SystemCommand::RevokeToken { name: name.to_owned(), by: by() };
    assert!(matches!(send(&mut state, revoke("root")), Err(SystemRejection::LastAdministrator { .. })));
    send(&mut state, SystemCommand::CreateToken { token: admin("second"), by: by() }).unwrap();
    assert_eq!(send(&mut state, revoke("root")), Ok(1));
    let refused = |name: &str, state: &mut SystemState| send(state, revoke(name)).unwrap_err().to_string();
    assert_eq!(refused("root", &mut state), "token `root` was revoked before");
    assert_eq!(refused("third", &mut state), "there is no token `third`; there are: second");
}

#[test]
fn a_token_name_is_taken_once() {
    let mut state = SystemState::default();
    send(&mut state, SystemCommand::CreateToken { token: admin("root"), by: by() }).unwrap();
    let again = send(&mut state, SystemCommand::CreateToken { token: admin("root"), by: by() });
    assert!(matches!(again, Err(SystemRejection::TokenNameTaken { .. })));
}

// ---- plugins ----

fn add(state: &mut SystemState, content: &str) -> Digest {
    add_signed(state, content, None).unwrap();
    Digest::of(content.as_bytes())
}

/// Called `notify`, with what its content says as its version.
fn add_signed(state: &mut SystemState, content: &str, signed: Option<Signed>) -> Result<usize, SystemRejection> {
    let digest = Digest::of(content.as_bytes());
    let description = Box::new(Description {
        name: "notify".to_owned(),
        version: content.to_owned(),
        summary: String::new(),
        config_schema: serde_json::Value::Null,
        requests: Default::default(),
    });
    let (kind, source) = (Kind::Phase, None);
    send(state, SystemCommand::AddPlugin { digest, kind, description, size_bytes: 1, source, signed, by: by() })
}

fn approve(state: &mut SystemState, digest: Digest) -> Result<usize, SystemRejection> {
    let (grants, reason, duties) = (Grants::default(), String::new(), Duties::Together);
    send(state, SystemCommand::ApprovePlugin { digest, grants, reason, duties, by: by() })
}

fn retire(state: &mut SystemState, digest: Digest, reason: &str) -> Result<usize, SystemRejection> {
    send(state, SystemCommand::RetirePlugin { digest, reason: reason.to_owned(), by: by() })
}

fn remove(state: &mut SystemState, digest: Digest, pinned_by: &[&str]) -> Result<usize, SystemRejection> {
    let pinned_by = pinned_by.iter().map(|release| (*release).to_owned()).collect();
    send(state, SystemCommand::RemovePlugin { digest, pinned_by, by: by() })
}

fn active(state: &SystemState) -> Vec<Digest> {
    state.approved(&name("shop")).values().map(|plugin| plugin.digest).collect()
}

#[test]
fn the_old_one_serves_until_the_new_one_is_approved() {
    let mut state = SystemState::default();
    let (old, new) = (add(&mut state, "1"), add(&mut state, "2"));
    approve(&mut state, old).unwrap();
    assert_eq!(active(&state), [old]);
    approve(&mut state, new).unwrap();
    assert_eq!(active(&state), [new]);
    assert!(state.plugins[&old].approval.is_some(), "releases that pinned it keep it");
}

#[test]
fn what_is_retired_is_given_to_no_new_release_until_it_is_approved_again() {
    let mut state = SystemState::default();
    let digest = add(&mut state, "1");
    assert!(matches!(retire(&mut state, digest, "old"), Err(SystemRejection::NotActive { .. })));
    approve(&mut state, digest).unwrap();
    assert_eq!(retire(&mut state, digest, " "), Err(SystemRejection::ReasonMissing));
    retire(&mut state, digest, "leaks").unwrap();
    assert_eq!((active(&state), state.plugins[&digest].approval.is_some()), (vec![], true));
    approve(&mut state, digest).unwrap();
    assert_eq!((active(&state), &state.plugins[&digest].retired), (vec![digest], &None));
}

#[test]
fn only_what_nobody_needs_is_removed() {
    let mut state = SystemState::default();
    let digest = add(&mut state, "1");
    approve(&mut state, digest).unwrap();
    assert!(matches!(remove(&mut state, digest, &[]), Err(SystemRejection::StillActive { .. })));
    retire(&mut state, digest, "leaks").unwrap();
    let refused = remove(&mut state, digest, &["v1 of shop", "v2 of shop"]).unwrap_err();
    assert!(refused.to_string().contains("is still needed by v1 of shop, v2 of shop"), "{refused}");
    remove(&mut state, digest, &[]).unwrap();
    assert!(matches!(approve(&mut state, digest), Err(SystemRejection::UnknownPlugin { .. })));
}

#[test]
fn where_duties_are_separate_somebody_else_approves() {
    let mut state = SystemState::default();
    let digest = add(&mut state, "1");
    let approve = |by: Actor| SystemCommand::ApprovePlugin {
        digest,
        grants: Grants::default(),
        reason: String::new(),
        duties: Duties::Separate,
        by,
    };
    assert!(matches!(send(&mut state, approve(by())), Err(SystemRejection::OwnPlugin { .. })));
    send(&mut state, approve(Actor { person: "bob".to_owned(), ..by() })).unwrap();
    assert_eq!(active(&state), [digest]);
}

// ---- narrowed ----

fn secrets(all: &[&str]) -> Grants {
    Grants { secrets: all.iter().copied().map(name).collect(), ..Grants::default() }
}

/// `notify` is approved for the secrets `chat` and `pager`, and there is the project `shop`.
fn approved_for_secrets() -> SystemState {
    let mut state = SystemState::default();
    let project = ProjectId { name: name("shop"), uid: "7".to_owned() };
    send(&mut state, SystemCommand::CreateProject { project, by: by() }).unwrap();
    let digest = add(&mut state, "1");
    let (reason, duties) = (String::new(), Duties::Together);
    let grants = secrets(&["chat", "pager"]);
    send(&mut state, SystemCommand::ApprovePlugin { digest, grants, reason, duties, by: by() }).unwrap();
    state
}

fn narrow_to(state: &mut SystemState, scope: &str, grants: Grants) -> Result<usize, SystemRejection> {
    let (plugin, scope, reason, duties) = (name("notify"), scope.parse().unwrap(), String::new(), Duties::Together);
    let narrow = NarrowPlugin { plugin, scope, grants, reason, duties, by: by() };
    send(state, SystemCommand::NarrowPlugin(narrow))
}

fn widen_to_all(state: &mut SystemState, scope: &str, reason: &str) -> Result<usize, SystemRejection> {
    let (plugin, scope, reason) = (name("notify"), scope.parse().unwrap(), reason.to_owned());
    let widen = WidenPlugin { plugin, scope, reason, duties: Duties::Together, by: by() };
    send(state, SystemCommand::WidenPlugin(widen))
}

fn may_use(state: &SystemState, project: &str, environment: &str) -> String {
    let digest = state.active[&name("notify")];
    listed(state.grants_in(digest, project, Some(environment)).unwrap().secrets)
}

#[test]
fn a_plugin_may_do_somewhere_what_all_that_speak_of_it_allow() {
    let mut state = approved_for_secrets();
    narrow_to(&mut state, "shop", secrets(&["chat", "never-granted"])).unwrap();
    assert_eq!(narrow_to(&mut state, "shop", secrets(&["chat", "never-granted"])), Ok(0));
    narrow_to(&mut state, "shop/production", secrets(&["chat", "pager"])).unwrap();
    narrow_to(&mut state, "shop/staging", secrets(&["pager"])).unwrap();
    let is = |state: &SystemState| {
        [("shop", "test"), ("shop", "production"), ("shop", "staging"), ("blog", "production")]
            .map(|(project, environment)| may_use(state, project, environment))
    };
    assert_eq!(is(&state), ["chat", "chat", "none", "chat, pager"]);
    assert_eq!(widen_to_all(&mut state, "shop", " "), Err(SystemRejection::ReasonMissing));
    widen_to_all(&mut state, "shop", "all may page").unwrap();
    assert_eq!(is(&state), ["chat, pager", "chat, pager", "pager", "chat, pager"]);
}

#[test]
fn what_is_approved_later_is_as_narrow() {
    let mut state = approved_for_secrets();
    narrow_to(&mut state, "shop/production", secrets(&["chat"])).unwrap();
    let (digest, grants) = (add(&mut state, "2"), secrets(&["chat", "pager"]));
    let (reason, duties) = (String::new(), Duties::Together);
    send(&mut state, SystemCommand::ApprovePlugin { digest, grants, reason, duties, by: by() }).unwrap();
    assert_eq!(may_use(&state, "shop", "production"), "chat");
}

#[test]
fn a_scope_that_is_not_there_narrows_nothing() {
    let mut state = approved_for_secrets();
    let refused = narrow_to(&mut state, "shpo", secrets(&[])).unwrap_err();
    assert!(refused.to_string().contains("no project `shpo`") && refused.to_string().contains("shop"), "{refused}");
    let refused = widen_to_all(&mut state, "shop", "a typo").unwrap_err();
    assert!(matches!(refused, SystemRejection::NotNarrowed { .. }), "{refused}");
    let (plugin, scope, reason) = (name("notfy"), "shop".parse().unwrap(), String::new());
    let (grants, duties) = (secrets(&[]), Duties::Together);
    let typo = SystemCommand::NarrowPlugin(NarrowPlugin { plugin, scope, grants, reason, duties, by: by() });
    assert!(matches!(send(&mut state, typo), Err(SystemRejection::UnknownPlugin { .. })));
}

#[test]
fn what_gives_something_back_needs_a_reason_whatever_it_is_called() {
    let mut state = approved_for_secrets();
    narrow_to(&mut state, "shop", secrets(&["chat"])).unwrap();
    assert_eq!(narrow_to(&mut state, "shop", secrets(&["chat", "pager"])), Err(SystemRejection::ReasonMissing));
    assert_eq!(narrow_to(&mut state, "shop", secrets(&["pager"])), Err(SystemRejection::ReasonMissing));
    assert_eq!(narrow_to(&mut state, "shop", secrets(&[])), Ok(1));
}

#[test]
fn narrowings_are_counted() {
    let mut state = approved_for_secrets();
    for number in 0..narrowing::MOST {
        narrow_to(&mut state, &format!("shop/e{number}"), secrets(&[])).unwrap();
    }
    let refused = narrow_to(&mut state, "shop/more", secrets(&[])).unwrap_err();
    assert!(matches!(refused, SystemRejection::NarrowedTooOften { .. }), "{refused}");
    assert_eq!(narrow_to(&mut state, "shop/e1", secrets(&[])), Ok(0), "it is there");
}

#[test]
fn where_duties_are_separate_somebody_else_says_where_a_plugin_may_do_less() {
    let mut state = approved_for_secrets();
    let bob = Actor { person: "bob".to_owned(), ..by() };
    let (plugin, scope) = (name("notify"), "shop".parse::<Scope>().unwrap());
    let narrow = |by| {
        SystemCommand::NarrowPlugin(NarrowPlugin {
            plugin: plugin.clone(),
            scope: scope.clone(),
            grants: Grants::default(),
            reason: String::new(),
            duties: Duties::Separate,
            by,
        })
    };
    let widen = |by| {
        SystemCommand::WidenPlugin(WidenPlugin {
            plugin: plugin.clone(),
            scope: scope.clone(),
            reason: "why not".to_owned(),
            duties: Duties::Separate,
            by,
        })
    };
    assert!(matches!(send(&mut state, narrow(by())), Err(SystemRejection::OwnPlugin { .. })));
    send(&mut state, narrow(bob.clone())).unwrap();
    assert!(matches!(send(&mut state, widen(by())), Err(SystemRejection::OwnPlugin { .. })));
    retire(&mut state, Digest::of(b"1"), "for a moment").unwrap();
    remove(&mut state, Digest::of(b"1"), &[]).unwrap();
    assert!(matches!(send(&mut state, widen(by())), Err(SystemRejection::OwnPlugin { .. })), "removed meanwhile");
    send(&mut state, widen(bob)).unwrap();
    assert_eq!(state.narrowed, BTreeMap::new());
}

// ---- signatures ----

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn key(number: u8) -> PublicKey {
    PublicKey::new([number; 32])
}

fn signed(number: u8) -> Option<Signed> {
    Some(Signed::ByKey { name: name("ops"), key: key(number), signature: trust::Signature::new([number; 64]) })
}

fn patterns(all: &[&str]) -> BTreeSet<NamePattern> {
    all.iter().map(|pattern| pattern.parse().unwrap()).collect()
}

fn trust(state: &mut SystemState, as_name: &str, number: u8, all: &[&str]) -> Result<usize, SystemRejection> {
    trust_who(state, as_name, Signer::Key { key: key(number) }, all)
}

fn trust_who(state: &mut SystemState, as_name: &str, signer: Signer, all: &[&str]) -> Result<usize, SystemRejection> {
    send(state, SystemCommand::Trust { name: name(as_name), signer, plugins: patterns(all), by: by() })
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const RELEASE: &str = "https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/";

fn identity(pattern: &str, issuer: &str, root: Root) -> Signer {
    let (identity, issuer) = (pattern.to_owned().try_into().unwrap(), issuer.to_owned().try_into().unwrap());
    Signer::Identity(TrustedIdentity { identity, issuer, root })
}

/// By the workflow of the tag `v1`.
fn attested(roots: &[Root]) -> Option<Signed> {
    let roots = roots.iter().copied().collect();
    let attested = Attested { identity: format!("{RELEASE}v1"), issuer: GITHUB.to_owned(), roots };
    Some(Signed::Attested { attested, bundle: Digest::of(b"bundle") })
}

fn distrust(state: &mut SystemState, as_name: &str, reason: &str) -> Result<usize, SystemRejection> {
    let (name, reason) = (name(as_name), reason.to_owned());
    send(state, SystemCommand::Distrust { name, reason, by: by() })
}

fn require(state: &mut SystemState, plugins: &str) -> Result<usize, SystemRejection> {
    let (plugins, reason) = (plugins.parse().unwrap(), String::new());
    send(state, SystemCommand::RequireSignature { plugins, reason, by: by() })
}

fn require_no_more(state: &mut SystemState, plugins: &str, reason: &str) -> Result<usize, SystemRejection> {
    let (plugins, reason) = (plugins.parse().unwrap(), reason.to_owned());
    send(state, SystemCommand::StopRequiringSignature { plugins, reason, by: by() })
}

#[test]
fn what_must_be_signed_is_approved_with_a_key_that_is_trusted_for_it_now() {
    type Arrange = fn(&mut SystemState);
    let table: [(&str, Arrange, bool); 7] = [
        (
            "no rule, no signature",
            |state| {
                add(state, "1");
            },
            true,
        ),
        (
            "a rule for others",
            |state| {
                add(state, "1");
                require(state, "deploy-*").unwrap();
            },
            true,
        ),
        (
            "a rule, no signature",
            |state| {
                add(state, "1");
                require(state, "not*").unwrap();
            },
            false,
        ),
        (
            "a rule and a signature",
            |state| {
                trust(state, "ops", 1, &["notify"]).unwrap();
                add_signed(state, "1", signed(1)).unwrap();
                require(state, "*").unwrap();
            },
            true,
        ),
        (
            "its key is trusted no more",
            |state| {
                trust(state, "ops", 1, &["notify"]).unwrap();
                add_signed(state, "1", signed(1)).unwrap();
                require(state, "*").unwrap();
                distrust(state, "ops", "stolen").unwrap();
            },
            false,
        ),
        (
            "its key is trusted for others now",
            |state| {
                trust(state, "ops", 1, &["notify"]).unwrap();
                add_signed(state, "1", signed(1)).unwrap();
                require(state, "*").unwrap();
                distrust(state, "ops", "too much").unwrap();
                trust(state, "ops", 1, &["deploy-*"]).unwrap();
            },
            false,
        ),
        (
            "the same key has another name now, and a second key signed it",
            |state| {
                trust(state, "ops", 1, &["notify"]).unwrap();
                trust(state, "second", 2, &["notify"]).unwrap();
                add_signed(state, "1", signed(1)).unwrap();
                assert_eq!(add_signed(state, "1", signed(2)), Ok(1));
                assert_eq!(add_signed(state, "1", signed(2)), Ok(0), "once is enough");
                require(state, "*").unwrap();
                distrust(state, "ops", "renamed").unwrap();
                distrust(state, "second", "renamed").unwrap();
                trust(state, "third", 2, &["*"]).unwrap();
            },
            true,
        ),
    ];
    for (what, arrange, approved) in table {
        let mut state = SystemState::default();
        arrange(&mut state);
        let answer = approve(&mut state, Digest::of(b"1"));
        assert_eq!(answer.is_ok(), approved, "{what}: {answer:?}");
        assert_eq!(!active(&state).is_empty(), approved, "{what}");
    }
}

#[test]
fn who_cannot_approve_hears_what_is_missing() {
    let mut state = SystemState::default();
    let digest = add(&mut state, "1");
    require(&mut state, "notify*").unwrap();
    let refused = approve(&mut state, digest).unwrap_err().to_string();
    assert!(
        refused.contains("`notify*` requires a signature, and it has none") && refused.contains("now: none)"),
        "{refused}"
    );
    trust(&mut state, "ops", 1, &["*"]).unwrap();
    add_signed(&mut state, "1", signed(1)).unwrap();
    distrust(&mut state, "ops", "stolen").unwrap();
    trust(&mut state, "new", 2, &["*"]).unwrap();
    let refused = approve(&mut state, digest).unwrap_err().to_string();
    assert!(refused.contains("`ops` is not trusted for it") && refused.contains("now: new)"), "{refused}");
}

#[test]
fn whom_a_bundle_names_counts_while_this_very_identity_is_trusted_for_the_plugin() {
    let own = Root::Own(Digest::of(b"trusted_root.json"));
    let (tags, v2) = (format!("{RELEASE}*"), format!("{RELEASE}v2"));
    type Row<'a> = (&'a str, &'a [Root], Option<Signer>, &'a str, bool);
    let table: [Row<'_>; 8] = [
        ("nobody is trusted", &[Root::Public], None, "*", false),
        ("the identity is", &[Root::Public], Some(identity(&tags, GITHUB, Root::Public)), "notify", true),
        ("for another plugin", &[Root::Public], Some(identity(&tags, GITHUB, Root::Public)), "deploy-*", false),
        ("another identity", &[Root::Public], Some(identity(&v2, GITHUB, Root::Public)), "*", false),
        ("another issuer", &[Root::Public], Some(identity(&tags, "https://a.example", Root::Public)), "*", false),
        ("by other keys", &[own], Some(identity(&tags, GITHUB, Root::Public)), "*", false),
        ("by both keys", &[own, Root::Public], Some(identity(&tags, GITHUB, own)), "*", true),
        ("a key", &[Root::Public], Some(Signer::Key { key: key(1) }), "*", false),
    ];
    for (what, roots, signer, plugins, approved) in table {
        let mut state = SystemState::default();
        require(&mut state, "*").unwrap();
        assert_eq!(add_signed(&mut state, "1", attested(roots)), Ok(1), "{what}: on record, whoever it is");
        if let Some(signer) = signer {
            trust_who(&mut state, "release", signer, &[plugins]).unwrap();
        }
        let answer = approve(&mut state, Digest::of(b"1"));
        assert_eq!(answer.is_ok(), approved, "{what}: {answer:?}");
        distrust(&mut state, "release", "left").ok();
        assert_eq!(active(&state).is_empty(), !approved, "{what}");
    }
}

#[test]
fn who_cannot_approve_what_a_stranger_signed_hears_who_that_is_and_who_is_trusted() {
    let mut state = SystemState::default();
    require(&mut state, "*").unwrap();
    add_signed(&mut state, "1", attested(&[Root::Public])).unwrap();
    let own = Root::Own(Digest::of(b"trusted_root.json"));
    trust_who(&mut state, "ann", identity("ann@example.com", "https://accounts.example", own), &["*"]).unwrap();
    let refused = approve(&mut state, Digest::of(b"1")).unwrap_err().to_string();
    for part in [
        "release.yml@refs/tags/v1`, vouched for by https://token.actions.githubusercontent.com is not trusted for it",
        "now: ann, which is `ann@example.com`, vouched for by https://accounts.example)",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    trust_who(&mut state, "release", identity(&format!("{RELEASE}v1"), GITHUB, own), &["*"]).unwrap();
    let refused = approve(&mut state, Digest::of(b"1")).unwrap_err().to_string();
    let part =
        format!("is trusted as `release` by the keys of {own} alone, and was verified with those of sigstore.dev");
    assert!(refused.contains(&part), "{refused}");
}

#[test]
fn a_bundle_is_on_record_once_and_again_where_it_says_more() {
    let mut state = SystemState::default();
    let own = Root::Own(Digest::of(b"trusted_root.json"));
    assert_eq!(add_signed(&mut state, "1", attested(&[Root::Public])), Ok(1));
    assert_eq!(add_signed(&mut state, "1", attested(&[Root::Public])), Ok(0));
    assert_eq!(add_signed(&mut state, "1", attested(&[Root::Public, own])), Ok(1));
    assert_eq!(add_signed(&mut state, "1", attested(&[own])), Ok(0));
    for number in 0..trust::MOST {
        let who = Attested { identity: number.to_string(), issuer: GITHUB.to_owned(), roots: [own].into() };
        let signed = Some(Signed::Attested { attested: who, bundle: Digest::of(b"bundle") });
        let added = add_signed(&mut state, "1", signed);
        let is_too_many = matches!(added, Err(SystemRejection::TooManySignatures { .. }));
        assert_eq!(is_too_many, number >= trust::MOST - 2, "{added:?}");
    }
}

#[test]
fn keys_and_identities_share_their_names() {
    let mut state = SystemState::default();
    let ann = || identity("ann@example.com", GITHUB, Root::Public);
    trust(&mut state, "ops", 1, &["*"]).unwrap();
    assert!(matches!(trust_who(&mut state, "ops", ann(), &["*"]), Err(SystemRejection::SignerNameTaken { .. })));
    assert_eq!(trust_who(&mut state, "ann", ann(), &["*"]), Ok(1));
    assert!(matches!(trust_who(&mut state, "anna", ann(), &["*"]), Err(SystemRejection::SignerKnown { .. })));
    assert_eq!(distrust(&mut state, "ann", "left"), Ok(1));
    assert_eq!(state.trusted.keys().collect::<Vec<_>>(), [&name("ops")]);
}

#[test]
fn what_is_approved_stays_so_when_a_rule_comes_or_a_key_goes() {
    let mut state = SystemState::default();
    let digest = add(&mut state, "1");
    approve(&mut state, digest).unwrap();
    require(&mut state, "*").unwrap();
    assert_eq!(active(&state), [digest]);
    assert!(matches!(approve(&mut state, digest), Err(SystemRejection::SignatureMissing { .. })));
    assert_eq!(require_no_more(&mut state, "*", " "), Err(SystemRejection::ReasonMissing));
    require_no_more(&mut state, "*", "a test").unwrap();
    assert_eq!(approve(&mut state, digest), Ok(0));
    assert!(matches!(require_no_more(&mut state, "*", "a test"), Err(SystemRejection::UnknownRule { .. })));
}

#[test]
fn a_signature_whose_key_was_just_removed_adds_nothing() {
    let mut state = SystemState::default();
    trust(&mut state, "ops", 1, &["deploy-*"]).unwrap();
    let refused = add_signed(&mut state, "1", signed(1)).unwrap_err();
    assert_eq!(refused, SystemRejection::SignatureNotTrusted { name: name("notify"), known: "none".to_owned() });
    assert!(state.plugins.is_empty());
}

#[test]
fn a_key_has_one_name_and_goes_with_a_reason() {
    let mut state = SystemState::default();
    assert_eq!(trust(&mut state, "ops", 1, &[]), Err(SystemRejection::PatternCount { count: 0 }));
    assert_eq!(trust(&mut state, "ops", 1, &["a", "b-*"]), Ok(1));
    assert_eq!(trust(&mut state, "ops", 1, &["a", "b-*"]), Ok(0));
    assert!(matches!(trust(&mut state, "ops", 1, &["*"]), Err(SystemRejection::SignerKnown { .. })));
    assert!(matches!(trust(&mut state, "again", 1, &["a"]), Err(SystemRejection::SignerKnown { .. })));
    assert!(matches!(trust(&mut state, "ops", 2, &["a"]), Err(SystemRejection::SignerNameTaken { .. })));
    assert_eq!(distrust(&mut state, "ops", ""), Err(SystemRejection::ReasonMissing));
    assert!(matches!(distrust(&mut state, "none", "x"), Err(SystemRejection::UnknownSigner { .. })));
    assert_eq!(distrust(&mut state, "ops", "stolen"), Ok(1));
    assert!(state.trusted.is_empty());
}

#[test]
fn keys_and_rules_are_counted() {
    let mut state = SystemState::default();
    for number in 0..trust::MOST {
        trust(&mut state, &format!("k{number}"), number as u8, &["*"]).unwrap();
        require(&mut state, &format!("k{number}")).unwrap();
    }
    assert_eq!(trust(&mut state, "more", 255, &["*"]), Err(SystemRejection::TooMany { what: "trusted signers" }));
    assert_eq!(require(&mut state, "more"), Err(SystemRejection::TooMany { what: "rules for signatures" }));
    assert_eq!(require(&mut state, "k1"), Ok(0), "it is there");
}

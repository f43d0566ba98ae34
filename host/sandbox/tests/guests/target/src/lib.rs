//! A target with one resource.

wit_bindgen::generate!({
    path: ["../../../../../wit/plugin", "../../../../../wit/target"],
    world: "lockgate:target/target-plugin",
    generate_all,
});

use exports::lockgate::target::target::*;

struct Plugin;
export!(Plugin);

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "test-target".into(),
            version: "1".into(),
            summary: "".into(),
            config_schema: "{}".into(),
            requests: r#"{"everything":true}"#.into(),
            extra: vec![],
        }
    }

    fn validate(_config: String) -> Vec<Issue> {
        vec![]
    }

    /// The configuration is the value to set; `leak` forgets to hide a sensitive one.
    fn plan(_c: Call, config: String, _subject: String, cursor: Vec<u8>) -> Result<PlanStep, Failure> {
        let field = FieldChange {
            path: "/value".into(),
            before: "".into(),
            after: config.clone(),
            sensitive: config.contains("leak"),
            fingerprint: "".into(),
        };
        let change = ResourceChange {
            application: "web".into(),
            kind: "site".into(),
            name: "main".into(),
            action: Action::Update,
            destructive: false,
            fields: vec![field],
        };
        let planned = Planned { summary: "sets it".into(), changes: vec![change], token: r#"{"etag":1}"#.into() };
        Ok(PlanStep { done: true, cursor, poll_after_ms: 0, planned, extra: vec![] })
    }

    fn apply(
        _c: Call,
        _config: String,
        _subject: String,
        approved: Planned,
        cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        let summary = format!("applied {} with {}", approved.changes[0].fields[0].after, approved.token);
        Ok(Progressed { done: true, cursor, poll_after_ms: 0, summary, outputs: "".into(), extra: vec![] })
    }

    fn undo(
        _c: Call,
        _config: String,
        _subject: String,
        approved: Planned,
        cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        let summary = format!("undid {} changes", approved.changes.len());
        Ok(Progressed { done: true, cursor, poll_after_ms: 0, summary, outputs: "".into(), extra: vec![] })
    }

    fn observe(_c: Call, _config: String, _subject: String) -> Result<Vec<ResourceState>, Failure> {
        Ok(vec![ResourceState {
            application: "web".into(),
            kind: "site".into(),
            name: "main".into(),
            version: "3".into(),
            artifact_uri: "".into(),
            weight_percent: 100,
            health: Health::Healthy,
            details: "".into(),
        }])
    }
}

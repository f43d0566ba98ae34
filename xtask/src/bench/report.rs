//! The numbers as a page, and what they mean.

use std::fmt::Write;

use serde_json::Value;

use crate::json::{list, number, text};

type Section = fn(&mut String, &Value);

/// Of the parts that were measured.
pub fn readable(measured: &Value) -> String {
    let mut page = String::from("# Lockgate, measured\n\n");
    machine(&mut page, &measured["machine"]);
    latencies(&mut page, measured);
    let parts: [(&str, Section); 7] = [
        ("acks", rates),
        ("deployments", deployments),
        ("restate", restate),
        ("queue", queue),
        ("growth", growth),
        ("logs", logs),
        ("hostile", hostile),
    ];
    for (part, write) in parts.into_iter().filter(|(part, _)| measured.get(part).is_some()) {
        write(&mut page, &measured[part]);
    }
    sandbox(&mut page, &measured["sandbox"]);
    what_dominates(&mut page, measured);
    page
}

fn machine(page: &mut String, machine: &Value) {
    let word = |key: &str| text(&machine[key], "");
    *page += &format!(
        "Kernel {}, {} ticks a second, preemption {}; {} cores ({}); memory {}, {} of it free before; {}; profile `{}`. Load before: {}; \
         after: {}. Host and load share the machine.\n\n",
        word("kernel"),
        word("ticks_per_second"),
        word("preemption"),
        number(machine, "/cores"),
        word("processor"),
        word("memory"),
        word("memory_free_before"),
        word("file_system"),
        word("profile"),
        word("load_before"),
        word("load_after"),
    );
}

fn latencies(page: &mut String, measured: &Value) {
    *page += "| Milliseconds | p50 | p99 | p99.9 | longest | per second | host CPU, each |\n|---|---:|---:|---:|---:|---:|---:|\n";
    row(page, "`fdatasync` of 512 bytes", &measured["fdatasync"], "", "");
    for acks in list(measured, "/acks/at_a_time") {
        let name = format!("Trigger acknowledged, {} at a time", number(acks, "/concurrency"));
        row(page, &name, &acks["latency"], &acks["per_second"].to_string(), &cpu_ms(acks));
    }
    if let Some(deployments) = measured.get("deployments") {
        let alone = &deployments["alone"];
        let cpu = alone["cpu_ms_each"].to_string();
        row(
            page,
            "A deployment alone, triggered and asked for at its end",
            &alone["latency"],
            &alone["per_second"].to_string(),
            &cpu,
        );
        row(page, "The same by the host's record, in whole milliseconds", &deployments["by_its_record"], "", "");
    }
    if let Some(call) = measured.pointer("/sandbox/phase") {
        row(page, "One call of a trivial plugin, in a fresh instance", &call["call"], "", "");
        row(page, "From another thread, to wake one and be woken by it: that much more", &call["way"], "", "");
    }
}

fn cpu_ms(measured: &Value) -> String {
    format!("{:.3}", micros(measured, "/cpu_us_each") / 1_000.0)
}

fn rates(page: &mut String, measured: &Value) {
    *page += "\nTriggers of one project at a fixed rate, counted from when each was due; late is what was sent more than 1 ms after \
        that, for every connection still waited or the load got no processor:\n\n\
        | Milliseconds | p50 | p99 | p99.9 | longest | host CPU, each | late | refused | held | cores of the load |\n\
        |---|---:|---:|---:|---:|---:|---:|---:|---|---:|\n";
    for at in list(measured, "/at_a_rate") {
        let held = match at["held"].as_bool() {
            Some(true) => "yes".to_owned(),
            _ => format!("**no**: {} a second", at["answered_per_second"]),
        };
        let cells = [at["late"].to_string(), at["refused"].to_string(), held, at["load_cores"].to_string()].join(" | ");
        let (name, spread) = (format!("{} a second for {} s", at["rate"], at["seconds"]), spread(&at["latency"]));
        *page += &format!("| {name} | {spread} | {} | {cells} |\n", cpu_ms(at));
    }
}

fn row(page: &mut String, name: &str, latency: &Value, per_second: &str, cpu: &str) {
    *page += &format!("| {name} | {} | {per_second} | {cpu} |\n", spread(latency));
}

fn spread(latency: &Value) -> String {
    ["/p50_us", "/p99_us", "/p999_us", "/max_us"].map(|at| ms(latency, at)).join(" | ")
}

fn ms(value: &Value, pointer: &str) -> String {
    format!("{:.3}", micros(value, pointer) / 1_000.0)
}

fn kib(value: &Value) -> String {
    format!("{:.1}", value.as_f64().unwrap_or_default() / 1024.0)
}

fn mib(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default() >> 20
}

fn deployments(page: &mut String, measured: &Value) {
    *page += "\n| Deployments of five phases | per second | instances per second | host CPU ms, each | cores busy | KiB on the disk, each |\n\
        |---|---:|---:|---:|---:|---:|\n";
    for run in list(measured, "/side_by_side") {
        let cells = ["per_second", "instances_per_second", "cpu_ms_each", "cores_busy"].map(|key| run[key].to_string());
        let (cells, written) = (cells.join(" | "), kib(&run["written_bytes_each"]));
        *page += &format!("| {} projects side by side | {cells} | {written} |\n", number(run, "/concurrency"));
    }
    if let Some(most) = list(measured, "/side_by_side").last() {
        threads(page, most);
    }
}

/// Where the host's CPU goes.
fn threads(page: &mut String, run: &Value) {
    *page += "\nThe host's threads in that last row, us for each deployment: on a core, ready while others had it, and how often one \
         slept until it was woken. `host` decides, answers the API and reads files, `sandbox` runs plugins. Not all are here: what ended meanwhile \
         took its share along.\n\n\
         | Threads | on a core | ready | woken |\n|---|---:|---:|---:|\n";
    for thread in list(run, "/threads") {
        let cells = ["on_cpu_us_each", "ready_us_each", "wakes_each"].map(|key| thread[key].to_string()).join(" | ");
        *page += &format!("| `{}` | {cells} |\n", text(thread, "/name"));
    }
}

fn restate(page: &mut String, measured: &Value) {
    if let Some(why) = measured.get("skipped") {
        *page += &format!("\nRestate is not measured: {}.\n", text(why, ""));
        return;
    }
    let settings: Vec<&str> = list(measured, "/settings").iter().filter_map(Value::as_str).collect();
    *page += &format!(
        "\nFive trivial steps, one request after the other in each lane, in turns with Restate {} on the same disk; medians of the \
         rounds. Ours: a trigger, then the deployment when it has ended; a project a lane. Theirs: a call of a handler with five \
         `run`, with its defaults (`{}`), then with all threads of its server in turns as short as those of the thread that writes \
         our journal (Linux 6.12 or newer); all stay up, idle, while another is measured; CPU of server and handlers together; what goes to the disk is the whole machine's.\n\n\
         | At a time | | per second | p50 ms | p99 ms | CPU ms, each | KiB on the disk, each | cores busy |\n|---:|---|---:|---:|---:|---:|---:|---:|\n",
        text(measured, "/version"),
        settings.join("`, `"),
    );
    for run in list(measured, "/rows") {
        let of = [
            ("Lockgate", &run["ours"]),
            ("Restate", &run["theirs"]),
            ("Restate in short turns", &run["theirs_in_short_turns"]),
        ];
        for (whose, run_of) in of {
            let (at_a_time, per_second) = (number(run, "/concurrency"), &run_of["per_second"]);
            let (p50, p99) = (ms(run_of, "/p50_us"), ms(run_of, "/p99_us"));
            let (cpu, written, busy) =
                (&run_of["cpu_ms_each"], kib(&run_of["written_bytes_each"]), &run_of["cores_busy"]);
            *page +=
                &format!("| {at_a_time} | {whose} | {per_second} | {p50} | {p99} | {cpu} | {written} | {busy} |\n");
        }
        let (ratio, in_short_turns) = (&run["ratio"], &run["ratio_in_short_turns"]);
        *page += &format!("| | Lockgate to Restate | {ratio} and {in_short_turns} times | | | | | |\n");
    }
    let resident = ["ours_resident_bytes", "their_server_resident_bytes", "their_handlers_resident_bytes"];
    let [ours, server, handlers] = resident.map(|key| mib(&measured[key]));
    *page += &format!(
        "\nMemory at the end: Lockgate {ours} MiB; Restate {server} MiB, and {handlers} MiB of its handlers.\n"
    );
}

fn queue(page: &mut String, measured: &Value) {
    *page += "\nOne environment, ever more deployments waiting in it; each request alone, p50 in milliseconds and the host's CPU:\n\n\
        | waiting | trigger | CPU | cancel from the middle | CPU | explain the last | CPU | deployments per second | CPU, each |\n\
        |---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in list(measured, "/rows") {
        let alone = ["acks", "cancels", "explain"].map(|what| {
            let ms = |micros: u64| micros as f64 / 1_000.0;
            let of = &row[what];
            format!("{:.3} | {:.3}", ms(number(of, "/latency/p50_us")), ms(number(of, "/cpu_us_each")))
        });
        let deployments = ["per_second", "cpu_ms_each"].map(|key| row["deployments"][key].to_string());
        writeln!(page, "| {} | {} | {} |", number(row, "/waiting"), alone.join(" | "), deployments.join(" | "))
            .expect("text takes what is written");
    }
    let start_ms = number(measured, "/start_after_kill_ms");
    *page += &format!("\nKilled with all of them waiting, the host answers again after {start_ms} ms.\n");
}

fn growth(page: &mut String, measured: &Value) {
    *page += &format!(
        "\n{} projects, ever more finished deployments of five phases in them, the host stopped, killed and started again before each row; each \
         request alone, in milliseconds, and the host's CPU; the first lists while the host still checks, behind its start, what that has not read, \
         all else afterwards:\n\n\
         | finished | waiting | made per second | start ms, after a stop | after a kill | MiB before | MiB after | MiB on disk | of these \
         | first lists p50 | p99 | CPU | list p50 | p99 | CPU | detail p50 | p99 | CPU | trigger p50 | p99 | CPU |\n{}\n",
        number(measured, "/projects"),
        "|---:".repeat(21) + "|",
    );
    for row in list(measured, "/rows") {
        let resident = ["resident_before_stop_bytes", "resident_after_start_bytes", "disk_bytes"];
        let resident = resident.map(|key| mib(&row[key]).to_string()).join(" | ");
        let requests = ["list_at_once", "list", "detail", "triggers"].map(|what| {
            let of = &row[what];
            [ms(of, "/latency/p50_us"), ms(of, "/latency/p99_us"), cpu_ms(of)].join(" | ")
        });
        let written = row["disk_bytes_of"].as_object().into_iter().flatten();
        let written: Vec<String> = written
            .filter(|(_, bytes)| mib(bytes) > 0)
            .map(|(folder, bytes)| format!("{folder} {}", mib(bytes)))
            .collect();
        let starts = ["finished", "waiting", "made_per_second", "start_after_stop_ms", "start_after_kill_ms"];
        let starts = starts.map(|key| row.get(key).map_or(String::new(), Value::to_string)).join(" | ");
        *page += &format!("| {starts} | {resident} | {} | {} |\n", written.join(", "), requests.join(" | "));
    }
}

fn logs(page: &mut String, measured: &Value) {
    *page += &format!(
        "\nLog lines of {} bytes, each a call from guest to host; written until the deployment has ended:\n\n\
         | Guests at a time | lines per second | host CPU us, each | bytes on the disk, each |\n|---:|---:|---:|---:|\n",
        number(measured, "/line_bytes"),
    );
    for row in list(measured, "/written") {
        let cells =
            ["writers", "lines_per_second", "cpu_us_each", "written_bytes_each"].map(|key| row[key].to_string());
        *page += &format!("| {} |\n", cells.join(" | "));
    }
    *page += "\nOne log with many readers over HTTP, all there before its first line, until the last has all:\n\n\
        | Readers | lines | lines per second, all readers | seconds | host CPU us, each | cores of the load | KiB per reader that waits | at most |\n\
        |---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in list(measured, "/followed") {
        let cells = ["readers", "lines", "lines_per_second", "seconds", "cpu_us_each", "load_cores"]
            .map(|key| row[key].to_string());
        let memory = ["resident_bytes_each", "resident_peak_bytes_each"].map(|key| kib(&row[key]));
        *page += &format!("| {} | {} |\n", cells.join(" | "), memory.join(" | "));
    }
}

fn hostile(page: &mut String, measured: &Value) {
    *page += &format!(
        "\nRequests at a fixed {} a second, half of them triggers, counted from when each was due; {} hostile guests at once: a \
         third spin, a third take memory, a third flood their logs. {} of their calls came to an end meanwhile.\n\n\
         | Milliseconds | p50 | p99 | p99.9 | longest | | |\n|---|---:|---:|---:|---:|---|---|\n",
        number(measured, "/requests_per_second"),
        number(measured, "/guests"),
        number(measured, "/stopped_by_their_limits_or_done"),
    );
    row(page, "Alone", &measured["quiet"], "", "");
    row(page, "Beside hostile guests", &measured["loud"], "", "");
    *page += &format!(
        "\nThe host's memory: {} MiB before, {} MiB at most, {} MiB after.\n",
        mib(&measured["resident_before_bytes"]),
        mib(&measured["resident_peak_bytes"]),
        mib(&measured["resident_after_bytes"]),
    );
}

fn sandbox(page: &mut String, measured: &Value) {
    if measured.is_null() {
        return;
    }
    *page += "\nHostile guests in the sandbox, all at once:\n\n| Milliseconds | p50 | p99 | p99.9 | longest | | |\n|---|---:|---:|---:|---:|---|---|\n";
    row(page, "A guest computes on after its CPU budget", &measured["overruns"]["cpu"], "", "");
    row(page, "A guest lives on after its time", &measured["overruns"]["wall"], "", "");
    *page += "\nA rule that judges one number, in a fresh instance, as `lockgate plugin new` writes it, called as the host \
        does, on the guests' threads; to wake one of these and be woken by it is what it costs more from elsewhere; the floor is wasmtime's \
        own for the same component, without limits, host or threads, where that calls no import:\n\n\
        | Language | component KiB | compile ms | load ms | first call us | p50 us | p99 us | floor p50 us | of the floor | more from elsewhere p50 us |\n\
        |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    for row in list(measured, "/languages") {
        let (warm, floor) = (micros(row, "/warm/call/p50_us"), micros(row, "/floor/p50_us"));
        let floor = if floor > 0.0 { format!("{floor:.1} | {:.2}", warm / floor) } else { "– | –".to_owned() };
        writeln!(
            page,
            "| {} | {} | {} | {} | {} | {warm:.1} | {:.1} | {floor} | {:.1} |",
            text(row, "/language"),
            number(row, "/bytes") >> 10,
            number(row, "/compile_ms"),
            number(row, "/load_ms"),
            number(row, "/first_us"),
            micros(row, "/warm/call/p99_us"),
            micros(row, "/warm/way/p50_us"),
        )
        .expect("text takes what is written");
    }
}

/// As it stands there.
fn micros(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_default()
}

/// What limits the two things that Lockgate does most.
fn what_dominates(page: &mut String, measured: &Value) {
    if let Some(alone) = measured.pointer("/acks/at_a_time/0/latency") {
        let (sync_ms, ack_ms) = (micros(measured, "/fdatasync/p50_us") / 1_000.0, micros(alone, "/p50_us") / 1_000.0);
        let floor = match sync_ms < ack_ms {
            true => format!(
                "one `fdatasync` ({sync_ms:.3} ms) is {:.0}% of an acknowledgement that comes alone ({ack_ms:.3} ms); the rest is \
                 HTTP, deciding, and handing over between threads",
                sync_ms / ack_ms * 100.0
            ),
            false => format!(
                "yet one `fdatasync` took longer ({sync_ms:.3} ms) than an acknowledgement that comes alone ({ack_ms:.3} ms), so \
                 something else used this machine while the disk was measured: run it again when it is quiet"
            ),
        };
        *page += &format!(
            "\nA trigger is acknowledged when it is on disk: {floor}. Triggers that come together share a sync.\n"
        );
    }
    if let Some(run) = list(measured, "/deployments/side_by_side").last() {
        let (cpu_ms, busy) = (micros(run, "/cpu_ms_each"), micros(run, "/cores_busy"));
        let calls = match measured.pointer("/sandbox/phase/call/p50_us").and_then(Value::as_f64) {
            Some(call_us) if cpu_ms > 0.0 => {
                let share = (5.0 * call_us / 1_000.0 / cpu_ms * 100.0).min(100.0);
                format!(": about {share:.0}% of its {cpu_ms:.2} ms of CPU, by the time of a lone call")
            }
            _ => String::new(),
        };
        let cores = number(measured, "/machine/cores") as f64;
        let bound = match busy > 0.7 * cores {
            true => "The host's CPU time is what limits deployments here.",
            false => {
                "The CPU is not what limits deployments here: they wait for the disk, for each other, or for the load's own share of the machine."
            }
        };
        *page += &format!(
            "\nA deployment of five phases is at least six syncs one after the other, and five fresh instances{calls}. \
             At most load the host kept {busy:.2} of {cores} cores busy. {bound}\n"
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_call_takes_stands_beside_what_the_way_to_it_takes() {
        let spread = |p50_us: f64| json!({ "p50_us": p50_us });
        let call = json!({ "call": spread(51.0), "way": spread(25.0) });
        let rust = json!({ "language": "rust", "warm": call.clone(), "floor": spread(25.5) });
        let page = readable(&json!({ "sandbox": { "phase": call, "languages": [rust] } }));
        for row in ["a fresh instance | 0.051", "that much more | 0.025", "| 51.0 | 0.0 | 25.5 | 2.00 | 25.0 |"] {
            assert!(page.contains(row), "{row} in {page}");
        }
    }

    #[test]
    fn a_rate_that_was_not_held_says_how_many_were_answered() {
        let at =
            |held| json!({ "rate": 5_000, "seconds": 10, "held": held, "answered_per_second": 3_412.0, "late": 7 });
        let page = readable(&json!({ "acks": { "at_a_rate": [at(true), at(false)] } }));
        assert!(
            page.contains("| 7 | null | yes |") && page.contains("| 7 | null | **no**: 3412.0 a second |"),
            "{page}"
        );
    }

    #[test]
    fn only_what_was_measured_stands_on_the_page() {
        let page = readable(&json!({ "restate": { "skipped": "`npm` does not start" } }));
        assert!(page.contains("Restate is not measured: `npm` does not start."), "{page}");
        for part in ["queue", "Log lines", "finished", "hostile", "acknowledged when"] {
            assert!(!page.to_lowercase().contains(&part.to_lowercase()), "{part} in {page}");
        }
    }
}

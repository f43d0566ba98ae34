//! The numbers as a page, and what they mean.

use std::fmt::Write;

use serde_json::Value;

use crate::json::{list, number, text};

pub fn readable(measured: &Value) -> String {
    let mut page = String::from("# Lockgate, measured\n\n");
    machine(&mut page, &measured["machine"]);
    latencies(&mut page, measured);
    deployments(&mut page, measured);
    queue(&mut page, &measured["queue"]);
    hostile(&mut page, &measured["hostile"], &measured["sandbox"]["overruns"]);
    languages(&mut page, &measured["sandbox"]);
    page += &what_dominates(measured);
    page
}

fn machine(page: &mut String, machine: &Value) {
    let word = |pointer| text(machine, pointer);
    *page += &format!(
        "Kernel {}, {} cores ({}), memory {}, profile `{}`. Load before: {}. Host and load share the machine.\n\n",
        word("/kernel"),
        number(machine, "/cores"),
        word("/processor"),
        word("/memory"),
        word("/profile"),
        word("/load_before"),
    );
}

fn latencies(page: &mut String, measured: &Value) {
    *page += "| Milliseconds | p50 | p99 | p99.9 | longest | per second | host CPU, each |\n|---|---:|---:|---:|---:|---:|---:|\n";
    row(page, "`fdatasync` of 512 bytes", &measured["fdatasync"], "", "");
    for acks in list(measured, "/acks") {
        let name = format!("Trigger acknowledged, {} at a time", number(acks, "/concurrency"));
        let cpu = format!("{:.3}", acks["cpu_us_each"].as_f64().unwrap_or_default() / 1_000.0);
        row(page, &name, &acks["latency"], &acks["per_second"].to_string(), &cpu);
    }
    let call = &measured["sandbox"]["phase"];
    row(page, "One call of a trivial plugin, in a fresh instance", &call["call"], "", "");
    row(page, "From another thread, to wake one and be woken by it: that much more", &call["way"], "", "");
}

fn row(page: &mut String, name: &str, spread: &Value, per_second: &str, cpu: &str) {
    let ms = |pointer| micros(spread, pointer) / 1_000.0;
    let (p50, p99, p999, max) = (ms("/p50_us"), ms("/p99_us"), ms("/p999_us"), ms("/max_us"));
    let cells = format!("{p50:.3} | {p99:.3} | {p999:.3} | {max:.3}");
    writeln!(page, "| {name} | {cells} | {per_second} | {cpu} |").expect("text takes what is written");
}

fn deployments(page: &mut String, measured: &Value) {
    *page += "\n| Deployments of five phases | per second | instances per second | host CPU ms, each | cores busy |\n|---|---:|---:|---:|---:|\n";
    for run in list(measured, "/deployments") {
        let cells = ["per_second", "instances_per_second", "cpu_ms_each", "cores_busy"].map(|key| run[key].to_string());
        writeln!(page, "| {} projects side by side | {} |", number(run, "/concurrency"), cells.join(" | "))
            .expect("text takes what is written");
    }
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

fn hostile(page: &mut String, measured: &Value, overruns: &Value) {
    let mib = |pointer| number(measured, pointer) >> 20;
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
    row(page, "A guest computes on after its CPU budget", &overruns["cpu"], "", "");
    row(page, "A guest lives on after its time", &overruns["wall"], "", "");
    *page += &format!(
        "\nThe host's memory: {} MiB before, {} MiB at most, {} MiB after.\n",
        mib("/resident_before_bytes"),
        mib("/resident_peak_bytes"),
        mib("/resident_after_bytes"),
    );
}

fn languages(page: &mut String, measured: &Value) {
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

fn micros(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_default()
}

fn what_dominates(measured: &Value) -> String {
    let sync_ms = number(measured, "/fdatasync/p50_us") as f64 / 1_000.0;
    let ack_ms = number(measured, "/acks/0/latency/p50_us") as f64 / 1_000.0;
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
    let run = list(measured, "/deployments").last().unwrap_or(&Value::Null);
    let (cpu_ms, busy) =
        (run["cpu_ms_each"].as_f64().unwrap_or_default(), run["cores_busy"].as_f64().unwrap_or_default());
    let call_ms = micros(measured, "/sandbox/phase/call/p50_us") / 1_000.0;
    let calls = if cpu_ms > 0.0 { (5.0 * call_ms / cpu_ms * 100.0).min(100.0) } else { 0.0 };
    let cores = number(measured, "/machine/cores") as f64;
    let bound = match busy > 0.7 * cores {
        true => "The host's CPU time is what limits deployments here.",
        false => {
            "The CPU is not what limits deployments here: they wait for the disk, for each other, or for the load's own share of the machine."
        }
    };
    format!(
        "\nA trigger is acknowledged when it is on disk: {floor}. Triggers that come \
         together share a sync.\n\nA deployment of five phases is at least six syncs one after the other, and five fresh \
         instances: about {calls:.0}% of its {cpu_ms:.2} ms of CPU, by the time of a lone call. At most load the host kept \
         {busy:.2} of {cores} cores busy. {bound}\n"
    )
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
}

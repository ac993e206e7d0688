// SPDX-License-Identifier: MIT OR Apache-2.0

//! `cargo run --release --manifest-path tools/macrobox/bench/Cargo.toml -- SUITE`
//!
//! `expand`: the box beside the toolchain's own server. `callbacks`: what thousands of callback
//! functions cost to generate, in the two classic ways and by a pool; with `--write`, the report in
//! `tools/macrobox/docs` is written anew.

mod callbacks;
#[path = "../../zoo/cases.rs"]
mod cases;
mod figure;

use cases::Zoo;
use figure::{Figure, Limit, Spread};
use macrobox::agree::{self, Replayed, Verdict};
use macrobox::cargo::Selection;
use macrobox::inputs::{InputAgreement, Inputs};
use macrobox::{Call, Compiler, Error, Expander, Kind, Library, Options, ToolchainServer};
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args().skip(1);
    // The recording runs this program in rustc's place.
    if let Some(code) = macrobox::wrapped() {
        return code;
    }
    let suite = arguments.next().unwrap_or_default();
    let figures = match &*suite {
        "expand" => expand(),
        "callbacks" => callbacks::suite(arguments.next().as_deref() == Some("--write")),
        _ => {
            eprintln!("give one of these suites: expand, callbacks");
            return std::process::ExitCode::from(2);
        }
    };
    match figures {
        Ok(figures) => {
            figure::print_table(&figures);
            println!();
            figure::print_lines(&suite, &figures);
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{suite}: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

const ROUNDS: usize = 9;

fn expand() -> Result<Vec<Figure>, Error> {
    let zoo = Zoo::build()?;
    println!(
        "{}; peer: its rust-analyzer-proc-macro-srv, without any protection",
        zoo.compiler.version()
    );
    let mut figures = speed(&zoo)?;
    figures.push(startup(&zoo)?);
    let scratch = std::env::temp_dir().join(format!("macrobox-bench-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(Error::io("making a folder"))?;
    let outcomes = cases::contain(&zoo, &scratch);
    let _ = std::fs::remove_dir_all(&scratch);
    let outcomes = outcomes?;
    for one in &outcomes {
        if let Some(why) = &one.escaped {
            println!("not contained: {}: {why}", one.name);
        }
    }
    let contained = outcomes.iter().filter(|one| one.escaped.is_none()).count();
    figures.push(Figure::counted("hostile_contained", contained, outcomes.len(), "hostile macros"));
    figures.extend(agreement(&zoo.compiler)?);
    Ok(figures)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Ours and the peer's, in turns, on the same calls.
fn speed(zoo: &Zoo) -> Result<Vec<Figure>, Error> {
    let mut expander = Expander::new(&zoo.compiler, Options::default())?;
    let mut peer = ToolchainServer::new(&zoo.compiler, Duration::from_secs(60))?;
    let small = Call::from_source(Kind::Function, "small", "40 + 2")?;
    let (mut alone, mut ratios, mut ours, mut theirs) = (vec![], vec![], vec![], vec![]);
    let expected = peer.expand(&zoo.gentle, &small)?;
    for _ in 0..ROUNDS {
        let mut one = || {
            let start = Instant::now();
            let expansion = expander.expand(&zoo.gentle, &small)?;
            let time = start.elapsed();
            assert!(agree::first_difference(&expansion.stream, &expected).is_none());
            Ok::<_, Error>(micros(time))
        };
        let mut batch = (0..1_000).map(|_| one()).collect::<Result<Vec<f64>, Error>>()?;
        let total: f64 = batch.iter().sum();
        batch.sort_by(f64::total_cmp);
        alone.push(batch[batch.len() / 2]);
        let start = Instant::now();
        for _ in 0..1_000 {
            peer.expand(&zoo.gentle, &small)?;
        }
        let unprotected = micros(start.elapsed());
        ratios.push(total / unprotected);
        theirs.push(unprotected / 1_000.0);
        ours.push(total / 1_000.0);
    }
    // As an editor asks: not one after the other, but now and then.
    let mut seldom = Vec::new();
    for _ in 0..ROUNDS * 20 {
        std::thread::sleep(Duration::from_millis(3));
        let start = Instant::now();
        expander.expand(&zoo.gentle, &small)?;
        seldom.push(micros(start.elapsed()));
    }
    let mut figures = vec![
        Figure::new(
            "isolated_us",
            Spread::of(alone),
            Limit::AtMost(500.0),
            "box, load and expansion in a fresh child, median",
        ),
        Figure::new(
            "batch_over_toolchain",
            Spread::of(ratios),
            Limit::AtMost(8.0),
            "1,000 isolated, over the peer's unprotected",
        ),
        Figure::plain(
            "isolated_seldom_us",
            Spread::of(seldom),
            "the next child was made in between",
        ),
        Figure::plain("isolated_mean_us", Spread::of(ours), "one of the 1,000"),
        Figure::plain("toolchain_mean_us", Spread::of(theirs), "one of the peer's 1,000"),
    ];
    figures.extend(serde(zoo, &mut expander, &mut peer)?);
    Ok(figures)
}

/// `Deserialize` for 64 fields.
fn serde(
    zoo: &Zoo,
    expander: &mut Expander,
    peer: &mut ToolchainServer,
) -> Result<Vec<Figure>, Error> {
    let library = real_library("serde_derive", &zoo.compiler)?;
    let fields: String = (0..64)
        .map(|index| format!("field_{index}: Option<Vec<u{}>>,\n", 8 << (index % 4)))
        .collect();
    let text = format!("struct Wide {{ {fields} }}");
    let call = Call::from_source(Kind::Derive, "Deserialize", &text)?;
    let expected = peer.expand(&library, &call)?;
    let (mut ours, mut theirs) = (vec![], vec![]);
    for _ in 0..ROUNDS * 5 {
        let start = Instant::now();
        let expansion = expander.expand(&library, &call)?;
        ours.push(micros(start.elapsed()) / 1e3);
        assert!(agree::first_difference(&expansion.stream, &expected).is_none());
        let start = Instant::now();
        peer.expand(&library, &call)?;
        theirs.push(micros(start.elapsed()) / 1e3);
    }
    let theirs = Spread::of(theirs);
    let limit = Limit::AtMost(theirs.median);
    Ok(vec![
        Figure::new(
            "serde_64_fields_ms",
            Spread::of(ours),
            limit,
            "Deserialize, isolated; the limit is the peer's",
        ),
        Figure::new("serde_64_fields_toolchain_ms", theirs, Limit::None, "the peer's, unprotected"),
    ])
}

fn zoo_selection() -> Selection {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../zoo/Cargo.toml");
    Selection { manifest_path: Some(manifest), ..Selection::default() }
}

fn real_library(package: &str, compiler: &Compiler) -> Result<Library, Error> {
    let crates = zoo_selection().macro_crates(Some("zoo-real"))?;
    let found = crates.iter().find(|one| one.package == package);
    found.ok_or_else(|| Error::Name(format!("no {package} in the zoo")))?.library(compiler)
}

/// From nothing to the first answer, both with the library loaded and one macro expanded.
fn startup(zoo: &Zoo) -> Result<Figure, Error> {
    let small = Call::from_source(Kind::Function, "small", "40 + 2")?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS * 2 {
        let start = Instant::now();
        let mut expander = Expander::new(&zoo.compiler, Options::default())?;
        expander.expand(&zoo.gentle, &small)?;
        let ours = start.elapsed();
        let mut peer = ToolchainServer::new(&zoo.compiler, Duration::from_secs(60))?;
        let start = Instant::now();
        peer.expand(&zoo.gentle, &small)?;
        ratios.push(micros(ours) / micros(start.elapsed()));
    }
    let spread = Spread::of(ratios);
    Ok(Figure::new(
        "startup_over_toolchain_server",
        spread,
        Limit::AtMost(0.35),
        "spawn to first expansion",
    ))
}

/// Tokens recorded inside rustc beside ours.
fn agreement(compiler: &Compiler) -> Result<Vec<Figure>, Error> {
    let target = zoo_selection().target(Some("zoo-real"), None)?;
    let recording = macrobox::record(compiler, &target)?;
    let mut expander = Expander::new(compiler, Options::default())?;
    let verdicts = agree::replay(compiler, &mut expander, None, &recording)?;
    let mut same = 0;
    let mut varies = 0;
    for Replayed { record, verdict, .. } in &verdicts {
        match verdict {
            Verdict::Same => same += 1,
            Verdict::Varies => varies += 1,
            other => println!("{} at {}: {other:?}", record.name, record.place()),
        }
    }
    let sum = |of: fn(&Replayed) -> usize| verdicts.iter().map(of).sum::<usize>();
    let spans = (sum(|one| one.spans.0), sum(|one| one.spans.1));
    println!("{} of {} tokens have the compiler's span", spans.0, spans.1);
    let mut lexed = Inputs::default();
    let inputs: Vec<_> =
        recording.records.iter().filter_map(|record| lexed.compare(record)).collect();
    let equal = inputs.iter().filter(|input| input.verdict == Verdict::Same).count();
    let tokens = |of: fn(&InputAgreement) -> usize| inputs.iter().map(of).sum::<usize>();
    println!(
        "{} of {} input tokens stand in a source and are compared",
        tokens(|input| input.compared),
        tokens(|input| input.all)
    );
    println!(
        "{} calls recorded of {} that the compiler counted",
        verdicts.len(),
        recording.counted.len()
    );
    Ok(vec![
        Figure::counted("agreement", same, verdicts.len() - varies, "expansions equal to rustc's"),
        Figure::counted(
            "input_agreement",
            equal,
            inputs.len(),
            "our tokens of the source equal to rustc's",
        ),
        Figure::new(
            "span_agreement_percent",
            Spread::of(vec![100.0 * spans.0 as f64 / spans.1 as f64]),
            Limit::None,
            "of their tokens, those that come from the same place",
        ),
    ])
}

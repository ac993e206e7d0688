//! Hostile macros harm nobody, and the next healthy one is served.

#[path = "../zoo/cases.rs"]
mod cases;

use cases::Zoo;
use macrobox::{Call, Error, Expander, Failure, Kind, Options};

#[test]
fn every_hostile_macro_is_contained() {
    let zoo = Zoo::build().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let outcomes = cases::contain(&zoo, scratch.path()).unwrap();
    let escaped: Vec<String> = outcomes
        .iter()
        .filter_map(|one| one.escaped.as_ref().map(|why| format!("{}: {why}", one.name)))
        .collect();
    assert!(outcomes.len() > 20 && escaped.is_empty(), "{}", escaped.join("\n"));
}

#[test]
fn nothing_leaks_from_one_expansion_to_the_next() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "counting", "").unwrap();
    for _ in 0..3 {
        assert_eq!(expander.expand(&zoo.gentle, &call).unwrap().text(), "0");
    }
    // In one process, a static lives on: that is what rustc does, and what `check` looks for.
    let repeated = expander.expand_repeated(&zoo.gentle, &call, 3).unwrap();
    let texts: Vec<String> = repeated.into_iter().map(|one| one.unwrap().text()).collect();
    assert_eq!(texts, ["0", "1", "2"]);
}

#[test]
fn a_panic_is_an_error_with_its_message() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "panics", "oh no").unwrap();
    let error = expander.expand(&zoo.gentle, &call).unwrap_err();
    assert_eq!(error.failure(), Some(&Failure::Panicked("on purpose: oh no".into())));
}

#[test]
fn an_unknown_macro_is_named() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "nowhere", "").unwrap();
    let Err(Error::Macro { name, failure: Failure::NotRun(why), .. }) =
        expander.expand(&zoo.gentle, &call)
    else {
        panic!("an unknown macro was run");
    };
    assert!(name == "nowhere" && why.contains("no macro `nowhere`"), "{why}");
}

#[test]
fn spans_tell_line_column_and_text() {
    let zoo = Zoo::build().unwrap();
    let mut expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let call = Call::from_source(Kind::Function, "place", "\n  // grüße\n   größe = 1").unwrap();
    let text = expander.expand(&zoo.gentle, &call).unwrap().text();
    assert_eq!(text, r#""3:4 Some(\"größe\")""#);
}

#[test]
fn the_scratch_folder_goes_with_the_server() {
    let zoo = Zoo::build().unwrap();
    let expander = Expander::new(&zoo.compiler, Options::default()).unwrap();
    let enforced = expander.enforced().join("\n");
    let folder =
        enforced.split_once("only below ").unwrap().1.split(' ').next().unwrap().to_owned();
    assert!(std::path::Path::new(&folder).is_dir(), "{enforced}");
    let server = expander.server_id().unwrap();
    drop(expander);
    assert!(!std::path::Path::new(&folder).exists());
    assert!(!std::path::Path::new(&format!("/proc/{server}")).exists());
}

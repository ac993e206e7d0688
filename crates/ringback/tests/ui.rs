#[test]
fn ui() {
    let t = trybuild::TestCases::new();
    t.compile_fail("tests/ui/message/*.rs");
    t.compile_fail("tests/ui/types/*.rs");
}

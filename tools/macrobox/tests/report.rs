// SPDX-License-Identifier: MIT OR Apache-2.0

//! The HTML report in a real browser: hovering an output token lights up the input it came from.

use assert_cmd::Command;
use std::path::Path;

#[test]
fn hovering_lights_up_where_a_token_came_from() {
    let Some(browser) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| std::process::Command::new(name).arg("--version").output().is_ok())
    else {
        // Named, so that it is seen; ci/macrobox.sh installs one.
        assert!(std::env::var_os("MACROBOX_NEED_BROWSER").is_none(), "no browser to be found");
        eprintln!("skipped: no chromium here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/Cargo.toml");
    let mut command = Command::cargo_bin("cargo-macrobox").unwrap();
    command.args(["profile", "small!(alpha + beta)", "-p", "zoo-gentle", "--sizes", "1,2,3"]);
    command.arg("--html").arg(&page).arg("--manifest-path").arg(zoo).assert().success();
    // Opens every call, hovers the last token that has an origin, and writes down what lit up.
    let script = "<script>document.querySelectorAll('details').forEach(d => d.open = true);\
        const t = [...document.querySelectorAll('b[data-from]')].pop();\
        t.dispatchEvent(new Event('mouseenter'));\
        document.title = 'lit ' + [...document.querySelectorAll('i.hit')].map(i => i.textContent)\
        + ' by ' + t.textContent + ', made ' + document.querySelector('b.made').title;</script>";
    let text = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, text.replace("</html>", &format!("{script}</html>"))).unwrap();
    let output = std::process::Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let title =
        dom.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or("none");
    let (lit, by) =
        title.strip_prefix("lit ").unwrap_or(title).split_once(" by ").unwrap_or_default();
    assert!(!lit.is_empty() && by.starts_with(lit), "{title}");
    assert!(title.ends_with("made made by the macro"), "{title}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0

//! Which macro takes which signature: every case is compiled with every macro, in both editions, and
//! what compiles is run and compared with the plain `async fn`.

use super::cases::{CASES, Case, Host};
use crate::{Result, portable};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub const EDITIONS: [&str; 2] = ["2021", "2024"];

/// A way to make a function of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Maker {
    Plain,
    Ringback,
    CommandAttr,
    AsyncRecursion,
    AsyncTrait,
}

impl Maker {
    pub const ALL: [Maker; 5] = [
        Maker::Plain,
        Maker::Ringback,
        Maker::CommandAttr,
        Maker::AsyncRecursion,
        Maker::AsyncTrait,
    ];

    fn attribute(self) -> &'static str {
        match self {
            Maker::Plain => "",
            Maker::Ringback => "#[ringback::hook]",
            Maker::CommandAttr => "#[command_attr::hook]",
            Maker::AsyncRecursion => "#[async_recursion::async_recursion]",
            Maker::AsyncTrait => "#[async_trait::async_trait]",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Maker::Plain => "plain `async fn`",
            Maker::Ringback => "ringback",
            Maker::CommandAttr => "command_attr",
            Maker::AsyncRecursion => "async-recursion",
            Maker::AsyncTrait => "async-trait",
        }
    }
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Refused,
    /// It compiles, but does not answer as the plain function does.
    Wrong,
    Called,
    /// It coerces to the pointer, and answers right when called through it.
    Stored,
}

/// One program: a case, made by a macro, called by its name or through a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Program {
    case: usize,
    maker: Maker,
    stored: bool,
}

impl Program {
    fn all() -> Vec<Program> {
        let mut all = Vec::new();
        for (case, it) in CASES.iter().enumerate() {
            for maker in Maker::ALL {
                all.push(Program { case, maker, stored: false });
                if it.pointer.is_some() && maker != Maker::Plain {
                    all.push(Program { case, maker, stored: true });
                }
            }
        }
        all
    }

    fn name(self) -> String {
        let stored = if self.stored { "stored" } else { "called" };
        format!("case{}_{:?}_{stored}", self.case, self.maker).to_lowercase()
    }

    fn text(self) -> Result<String> {
        let case = &CASES[self.case];
        let (definition, path) = self.definition(case)?;
        let (store, subject) = match case.pointer {
            Some(pointer) if self.stored => {
                (format!("let stored: {pointer} = {path};"), "stored".to_owned())
            }
            _ => (String::new(), path),
        };
        let call = case.call.replace("SUBJECT", &subject);
        Ok(format!(
            "include!(\"../../../prelude.rs\");\n{definition}\n\
             pub fn main() {{\n    {store}\n    println!(\"{{:?}}\", run(async {{ {call} }}));\n}}\n"
        ))
    }

    /// The items, and the function's path.
    fn definition(self, case: &Case) -> Result<(String, String)> {
        let attribute = self.maker.attribute();
        let in_trait = self.maker == Maker::AsyncTrait;
        let items = case.items.replace("HOOK", attribute);
        let recurse = match self.maker {
            Maker::Plain => "Box::pin(subject(n - 1))",
            Maker::AsyncTrait => "Self::subject(n - 1)",
            _ => "subject(n - 1)",
        };
        let (signature, body) = (case.signature, case.body.replace("RECURSE(n - 1)", recurse));
        if signature.is_empty() {
            return match case.in_trait {
                Some((items, path)) if in_trait => {
                    Ok((items.replace("HOOK", attribute), path.to_owned()))
                }
                // It would be refused whatever it is, as async-trait takes methods only.
                None if in_trait => Err(format!("no method for async-trait: {}", case.name).into()),
                _ => Ok((items, case.path.to_owned())),
            };
        }
        let Some(Host { declared, name, arguments }) = case.host else {
            return Ok(if in_trait {
                // async-trait takes methods only, so it gets one.
                let host = "struct Host; impl Subject for Host {}";
                let method = format!("{attribute}\ntrait Subject {{ {signature} {body} }}");
                (format!("{items}\n{host}\n{method}"), "<Host as Subject>::subject".to_owned())
            } else {
                (format!("{items}\n{attribute}\n{signature} {body}"), case.path.to_owned())
            });
        };
        let definition = if in_trait {
            format!(
                "{attribute}\ntrait Subject{declared} where Self: Sized {{ {signature}; }}\n\
                 {attribute}\nimpl{declared} Subject{arguments} for {name}{arguments} \
                 {{ {signature} {body} }}"
            )
        } else {
            format!("impl{declared} {name}{arguments} {{ {attribute} {signature} {body} }}")
        };
        Ok((format!("{items}\n{definition}"), format!("{name}::subject")))
    }
}

/// What became of every case with every macro, edition by edition.
pub struct Support(BTreeMap<(usize, Maker, &'static str), Verdict>);

impl Support {
    /// Compiles and runs everything. Takes a minute or two.
    pub fn find_out() -> Result<Support> {
        let folder = portable::cache()?.join("hook");
        let mut verdicts = BTreeMap::new();
        for edition in EDITIONS {
            let package = Package { folder: folder.join(edition), edition };
            package.write()?;
            let compiled = package.check()?;
            let answers = package.run(&compiled)?;
            for (case, it) in CASES.iter().enumerate() {
                let answer = |maker, stored| answers.get(&Program { case, maker, stored });
                let Some(expected) = answer(Maker::Plain, false) else {
                    return Err(format!("not even plain in {edition}: {}", it.name).into());
                };
                for maker in Maker::ALL {
                    let verdict = match (answer(maker, true), answer(maker, false)) {
                        (Some(answer), _) if answer == expected => Verdict::Stored,
                        (_, Some(answer)) if answer == expected => Verdict::Called,
                        (None, None) => Verdict::Refused,
                        _ => Verdict::Wrong,
                    };
                    verdicts.insert((case, maker, edition), verdict);
                }
            }
        }
        Ok(Support(verdicts))
    }

    /// How many of the starred cases can be stored in both editions, and how many there are.
    pub fn storable(&self, maker: Maker) -> (usize, usize) {
        let starred: Vec<usize> = (0..CASES.len()).filter(|&case| CASES[case].starred).collect();
        let stored = |&&case: &&usize| self.worst(case, maker) == Verdict::Stored;
        (starred.iter().filter(stored).count(), starred.len())
    }

    /// How many of all cases can at least be called in both editions, and how many there are.
    pub fn callable(&self, maker: Maker) -> (usize, usize) {
        let called = |&case: &usize| self.worst(case, maker) >= Verdict::Called;
        ((0..CASES.len()).filter(called).count(), CASES.len())
    }

    /// In the edition where it does worse.
    pub fn worst(&self, case: usize, maker: Maker) -> Verdict {
        let verdicts = EDITIONS.map(|edition| self.0[&(case, maker, edition)]);
        verdicts.into_iter().min().unwrap_or(Verdict::Refused)
    }
}

/// A throw-away package with one program per case, in one edition.
struct Package {
    folder: PathBuf,
    edition: &'static str,
}

impl Package {
    fn write(&self) -> Result<()> {
        let programs = self.folder.join("src/bin/programs");
        fs::create_dir_all(&programs)?;
        let manifest = include_str!("package.toml").replace("@EDITION@", self.edition);
        let mut manifest = manifest
            .replace("@RINGBACK@", concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/ringback"));
        fs::write(self.folder.join("prelude.rs"), include_str!("prelude.rs"))?;
        fs::write(self.folder.join("src/lib.rs"), "")?;
        for program in Program::all() {
            let name = program.name();
            fs::write(programs.join(format!("{name}.rs")), program.text()?)?;
            let _ = write!(
                manifest,
                "\n[[bin]]\nname = \"{name}\"\npath = \"src/bin/programs/{name}.rs\"\n"
            );
        }
        manifest += "\n[[example]]\nname = \"all\"\npath = \"src/bin/all.rs\"\n";
        fs::write(self.folder.join("src/bin/all.rs"), "fn main() {}\n")?;
        fs::write(self.folder.join("Cargo.toml"), manifest)?;
        // The versions with which the bench was built, so that nothing is fetched.
        fs::write(self.folder.join("Cargo.lock"), include_str!("../../../Cargo.lock"))?;
        Ok(())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = portable::cargo();
        cargo.args(arguments).arg("--manifest-path").arg(self.folder.join("Cargo.toml"));
        cargo.arg("--target-dir").arg(self.folder.join("../target"));
        cargo.env("RUSTFLAGS", "-Awarnings").stdin(Stdio::null());
        cargo
    }

    /// The programs that compile.
    fn check(&self) -> Result<BTreeSet<Program>> {
        let arguments = ["check", "--bins", "--keep-going", "--quiet", "--message-format=json"];
        let output = self.cargo(&arguments).stderr(Stdio::null()).output()?;
        let output = String::from_utf8(output.stdout)?;
        let artifacts = output.lines().filter(|it| it.contains("\"reason\":\"compiler-artifact\""));
        let artifacts: String = artifacts.collect();
        let compiled = |it: &Program| artifacts.contains(&format!("\"name\":\"{}\"", it.name()));
        Ok(Program::all().into_iter().filter(compiled).collect())
    }

    /// What they print: all of them in one program, as one links faster than a thousand.
    fn run(&self, compiled: &BTreeSet<Program>) -> Result<BTreeMap<Program, String>> {
        let mut text = String::new();
        let mut calls = String::new();
        for program in compiled {
            let name = program.name();
            let _ = writeln!(text, "#[path = \"programs/{name}.rs\"] mod {name};");
            let _ = writeln!(calls, "    println!(\"@{name}\"); {name}::main();");
        }
        let _ =
            writeln!(text, "fn main() {{\n    std::panic::set_hook(Box::new(|_| ()));\n{calls}}}");
        fs::write(self.folder.join("src/bin/all.rs"), text)?;
        let output = self.cargo(&["run", "--quiet", "--example", "all"]).output()?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("what compiled one by one fails together:\n{errors}").into());
        }
        let output = String::from_utf8(output.stdout)?;
        let mut answers = BTreeMap::new();
        for program in compiled {
            let head = format!("@{}\n", program.name());
            let (_, after) = output.split_once(&head).ok_or("a program printed nothing")?;
            let answer = after.split("\n@").next().unwrap_or(after);
            answers.insert(*program, answer.trim_end().to_owned());
        }
        Ok(answers)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0

//! The cases of the support table: signatures that a plain `async fn` takes.

/// One function, what stores it, and what calls it. `SUBJECT` stands for the function in what calls
/// it, `RECURSE(..)` in itself.
pub struct Case {
    pub name: &'static str,
    /// It must fit into a table.
    pub starred: bool,
    /// Items in front of it; or with it, at `path`, behind the word `HOOK`.
    pub items: &'static str,
    pub path: &'static str,
    /// The items and the path for async-trait, where no signature says how to make a method of it.
    pub in_trait: Option<(&'static str, &'static str)>,
    /// Around it: an impl block.
    pub host: Option<Host>,
    pub signature: &'static str,
    pub body: &'static str,
    /// The function pointer that it should coerce to.
    pub pointer: Option<&'static str>,
    /// An expression of async code that calls `SUBJECT`; what it gives is printed and compared.
    pub call: &'static str,
}

/// `impl<'v, T: Send> View<'v, T>`
#[derive(Clone, Copy)]
pub struct Host {
    /// What the block declares: `<'v, T: Send>`.
    pub declared: &'static str,
    pub name: &'static str,
    /// `<'v, T>`
    pub arguments: &'static str,
}

const NONE: Case = Case {
    name: "",
    starred: false,
    items: "",
    path: "subject",
    in_trait: None,
    host: None,
    signature: "",
    body: "",
    pointer: None,
    call: "",
};

const fn stored(
    name: &'static str,
    signature: &'static str,
    body: &'static str,
    pointer: &'static str,
    call: &'static str,
) -> Case {
    Case { name, starred: true, signature, body, pointer: Some(pointer), call, ..NONE }
}

const fn called(
    name: &'static str,
    signature: &'static str,
    body: &'static str,
    call: &'static str,
) -> Case {
    Case { name, signature, body, call, ..NONE }
}

const fn method(
    name: &'static str,
    host: Host,
    signature: &'static str,
    body: &'static str,
    call: &'static str,
) -> Case {
    Case { name, host: Some(host), signature, body, call, ..NONE }
}

impl Case {
    const fn after(self, items: &'static str) -> Case {
        Case { items, ..self }
    }

    const fn at(self, path: &'static str) -> Case {
        Case { path, ..self }
    }

    const fn in_trait(self, items: &'static str, path: &'static str) -> Case {
        Case { in_trait: Some((items, path)), ..self }
    }

    const fn stored_as(self, pointer: &'static str) -> Case {
        Case { pointer: Some(pointer), ..self }
    }
}

const VIEW: Host = Host { declared: "<'v>", name: "View", arguments: "<'v>" };
const MANY: Host = Host { declared: "<T: Clone + Send + Sync>", name: "Many", arguments: "<T>" };

const HELD: Host = Host { declared: "<T: Send>", name: "Held", arguments: "<T>" };

pub const CASES: &[Case] = &[
    stored("no arguments", "async fn subject() -> i32", "{ 7 }",
        "fn() -> BoxFuture<'static, i32>", "SUBJECT().await"),
    stored("owned arguments", "async fn subject(a: i32, b: String) -> String",
        "{ format!(\"{a}{b}\") }",
        "fn(i32, String) -> BoxFuture<'static, String>", "SUBJECT(1, \"b\".to_owned()).await"),
    stored("`&T`", "async fn subject(m: &Msg) -> usize", "{ m.0.len() }",
        "for<'a> fn(&'a Msg) -> BoxFuture<'a, usize>", "SUBJECT(&Msg(\"abc\".to_owned())).await"),
    stored("`&mut T`", "async fn subject(l: &mut Vec<i32>) -> usize", "{ l.push(1); l.len() }",
        "for<'a> fn(&'a mut Vec<i32>) -> BoxFuture<'a, usize>", "SUBJECT(&mut vec![1]).await"),
    stored("several references", "async fn subject(c: &Ctx, m: &Msg, l: &mut Vec<i32>) -> i32",
        "{ l.push(c.0); l[0] + m.0.len() as i32 }",
        "for<'a> fn(&'a Ctx, &'a Msg, &'a mut Vec<i32>) -> BoxFuture<'a, i32>",
        "SUBJECT(&Ctx(1), &Msg(String::new()), &mut Vec::new()).await"),
    stored("elided reference result", "async fn subject(m: &Msg) -> &str", "{ &m.0[1..] }",
        "for<'a> fn(&'a Msg) -> BoxFuture<'a, &'a str>",
        "SUBJECT(&Msg(\"abc\".to_owned())).await.to_owned()"),
    stored("`Foo<'_>` by value", "async fn subject(v: View<'_>) -> usize", "{ v.0.len() }",
        "for<'a> fn(View<'a>) -> BoxFuture<'a, usize>",
        "SUBJECT(View(&\"abc\".to_owned())).await"),
    stored("`&mut Foo<'_>`", "async fn subject(v: &mut View<'_>)", "{ v.0 = &v.0[1..]; }",
        "for<'a, 'b> fn(&'a mut View<'b>) -> BoxFuture<'a, ()>",
        "{ let mut v = View(\"abc\"); SUBJECT(&mut v).await; SUBJECT(&mut v).await; v.0.len() }"),
    stored("`&[&str]`", "async fn subject(w: &[&str]) -> String", "{ w.concat() }",
        "for<'a, 'b> fn(&'a [&'b str]) -> BoxFuture<'a, String>", "SUBJECT(&[\"a\", \"b\"]).await"),
    stored("`Option<&str>`", "async fn subject(t: Option<&str>) -> usize",
        "{ t.map_or(0, str::len) }",
        "for<'a> fn(Option<&'a str>) -> BoxFuture<'a, usize>",
        "SUBJECT(Some(&\"abc\".to_owned())).await"),
    stored("`Box<dyn Tr + '_>`", "async fn subject(n: Box<dyn Named + '_>) -> String",
        "{ n.name() }",
        "for<'a> fn(Box<dyn Named + 'a>) -> BoxFuture<'a, String>",
        "SUBJECT(Box::new(&*\"abc\".to_owned())).await"),
    stored("one named lifetime", "async fn subject<'a>(a: &'a str, b: &'a str) -> &'a str",
        "{ if b.is_empty() { a } else { b } }",
        "for<'a> fn(&'a str, &'a str) -> BoxFuture<'a, &'a str>",
        "SUBJECT(&\"a\".to_owned(), \"\").await.to_owned()"),
    stored("one named lifetime beside an elided one",
        "async fn subject<'a>(c: &'a Ctx, m: &Msg) -> &'a i32", "{ let _ = m; &c.0 }",
        "for<'a> fn(&'a Ctx, &'a Msg) -> BoxFuture<'a, &'a i32>",
        "*SUBJECT(&Ctx(5), &Msg(String::new())).await"),
    stored("`&'static str` kept",
        "async fn subject(t: &'static str, m: &Msg) -> &'static str", "{ let _ = m; t }",
        "for<'a> fn(&'static str, &'a Msg) -> BoxFuture<'a, &'static str>",
        "{ let t: &'static str = SUBJECT(\"abc\", &Msg(String::new())).await; t }"),
    called("several named lifetimes", "async fn subject<'a, 'b>(a: &'a str, b: &'b str) -> &'a str",
        "{ let _ = b; a }",
        "{ let a = \"a\".to_owned(); let found = { let b = \"b\".to_owned(); SUBJECT(&a, &b).await }; \
         found.to_owned() }"),
    called("`'a: 'b`", "async fn subject<'a: 'b, 'b>(a: &'a str, b: &'b str) -> &'b str",
        "{ if b.is_empty() { a } else { b } }", "SUBJECT(&\"a\".to_owned(), \"\").await.to_owned()"),
    called("type parameter by value", "async fn subject<T: std::fmt::Debug + Send>(t: T, m: &str) -> String",
        "{ format!(\"{t:?}{m}\") }", "SUBJECT(&1, &\"a\".to_owned()).await"),
    called("type parameter by reference, `where`", "async fn subject<T>(t: &T) -> String where T: std::fmt::Debug + Sync",
        "{ format!(\"{t:?}\") }", "SUBJECT(&[1, 2]).await")
        .stored_as("for<'a> fn(&'a [i32; 2]) -> BoxFuture<'a, String>"),
    called("const parameter", "async fn subject<const N: usize>(a: [u8; N]) -> usize", "{ a.len() }",
        "SUBJECT([1, 2]).await")
        .stored_as("fn([u8; 2]) -> BoxFuture<'static, usize>"),
    called("`impl Trait` argument", "async fn subject(t: impl AsRef<str> + Send, m: &str) -> usize",
        "{ t.as_ref().len() + m.len() }", "SUBJECT(&\"a\".to_owned(), \"b\").await"),
    called("`impl Trait` result", "async fn subject(m: &str) -> impl std::fmt::Display", "{ m.len() }",
        "SUBJECT(\"a\").await.to_string()"),
    called("`impl Fn` result, its closure untyped", "async fn subject(n: usize) -> impl Fn(&str) -> bool",
        "{ move |t| t.len() > n }", "SUBJECT(1).await(\"ab\")"),
    called("patterns", "async fn subject(Ctx(a): &Ctx, (b, _): (i32, i32), [c, ..]: [i32; 3]) -> i32",
        "{ a + b + c }", "SUBJECT(&Ctx(1), (2, 3), [4, 5, 6]).await")
        .stored_as("for<'a> fn(&'a Ctx, (i32, i32), [i32; 3]) -> BoxFuture<'a, i32>"),
    called("`mut` argument", "async fn subject(mut a: i32) -> i32", "{ a += 1; a }", "SUBJECT(1).await")
        .stored_as("fn(i32) -> BoxFuture<'static, i32>"),
    called("`_` argument", "async fn subject(_: i32, _: &str) -> i32", "{ 1 }", "SUBJECT(1, \"\").await")
        .stored_as("for<'a> fn(i32, &'a str) -> BoxFuture<'a, i32>"),
    called("`#[cfg]` on an argument", "async fn subject(#[cfg(any())] a: Missing, b: i32) -> i32", "{ b }",
        "SUBJECT(1).await")
        .stored_as("fn(i32) -> BoxFuture<'static, i32>"),
    called("`unsafe fn`", "async unsafe fn subject(a: &i32) -> i32", "{ *a }", "unsafe { SUBJECT(&1) }.await")
        .stored_as("for<'a> unsafe fn(&'a i32) -> BoxFuture<'a, i32>"),
    called("`extern \"C\" fn`", "async extern \"C\" fn subject(a: &i32) -> i32", "{ *a }", "SUBJECT(&1).await")
        .stored_as("for<'a> extern \"C\" fn(&'a i32) -> BoxFuture<'a, i32>"),
    called("`-> !`", "async fn subject(t: &str) -> !", "{ std::panic::panic_any(t.len()) }",
        "std::panic::catch_unwind(|| { run(async { SUBJECT(\"abc\").await; }) }).is_err()")
        .stored_as("for<'a> fn(&'a str) -> BoxFuture<'a, ringback::hook::Never>"),
    called("`?` and early return", "async fn subject(t: &str) -> Result<Box<dyn std::fmt::Debug + Send>, std::num::ParseIntError>",
        "{ if t.is_empty() { return Ok(Box::new(\"none\")); } Ok(Box::new(t.parse::<i32>()?)) }",
        "(SUBJECT(\"\").await, SUBJECT(\"1\").await, SUBJECT(\"x\").await)")
        .stored_as("for<'a> fn(&'a str) -> BoxFuture<'a, Result<Box<dyn std::fmt::Debug + Send>, std::num::ParseIntError>>"),
    called("types from `macro_rules`", "", "", "SUBJECT(&Msg(\"abc\".to_owned()), Some(\"a\")).await")
        .after("macro_rules! made { ($t:ty, $u:ty) => { HOOK async fn subject(m: $t, o: $u) -> usize \
                { m.0.len() + o.map_or(0, str::len) } } }\nmade!(&Msg, Option<&str>);")
        .in_trait("struct Host; impl Subject for Host {}\n\
                macro_rules! made { ($t:ty, $u:ty) => { HOOK trait Subject { \
                async fn subject(m: $t, o: $u) -> usize { m.0.len() + o.map_or(0, str::len) } } } }\n\
                made!(&Msg, Option<&str>);", "<Host as Subject>::subject")
        .stored_as("for<'a> fn(&'a Msg, Option<&'a str>) -> BoxFuture<'a, usize>"),
    called("a user's own `Box`, `Send`, `Future`", "", "", "SUBJECT(\"abc\").await")
        .at("own::subject")
        .after("mod own { struct Box; trait Send {} trait Future {} struct Pin; mod std {}\n\
                HOOK pub async fn subject(t: &str) -> usize { t.len() } }")
        .in_trait("mod own { struct Box; trait Send {} trait Future {} struct Pin; mod std {}\n\
                pub struct Host; impl Subject for Host {}\n\
                HOOK pub trait Subject { async fn subject(t: &str) -> usize { t.len() } } }",
            "<own::Host as own::Subject>::subject")
        .stored_as("for<'a> fn(&'a str) -> BoxFuture<'a, usize>"),
    called("a user's own `'fut`", "async fn subject<'fut>(t: &'fut str) -> &'fut str", "{ t }", "SUBJECT(\"abc\").await")
        .stored_as("for<'a> fn(&'a str) -> BoxFuture<'a, &'a str>"),
    called("recent syntax in the body", "async fn subject(t: &str) -> usize",
        "{ fn f<'a>(t: &'a str) -> impl Sized + use<'a> { t } let _ = f(t); c\"abc\".count_bytes() + const { 1 } }",
        "SUBJECT(\"\").await")
        .stored_as("for<'a> fn(&'a str) -> BoxFuture<'a, usize>"),
    method("`&self`", VIEW, "async fn subject(&self, m: &str) -> usize", "{ self.0.len() + m.len() }",
        "SUBJECT(&View(\"abc\"), \"d\").await")
        .stored_as("for<'a> fn(&'a View<'static>, &'a str) -> BoxFuture<'a, usize>"),
    method("`&mut self`, the block's lifetime", VIEW, "async fn subject(&mut self, t: &'v str)", "{ self.0 = t; }",
        "{ let mut v = View(\"abc\"); SUBJECT(&mut v, \"de\").await; v.0 }"),
    method("`self`", VIEW, "async fn subject(self) -> &'v str", "{ self.0 }", "SUBJECT(View(\"abc\")).await")
        .stored_as("fn(View<'static>) -> BoxFuture<'static, &'static str>"),
    method("`self: Arc<Self>`", VIEW, "async fn subject(self: Arc<Self>) -> usize", "{ self.0.len() }",
        "SUBJECT(Arc::new(View(\"abc\"))).await")
        .stored_as("fn(Arc<View<'static>>) -> BoxFuture<'static, usize>"),
    method("a generic block", MANY, "async fn subject(&self, at: usize) -> Option<T>",
        "{ self.0.get(at).cloned() }", "SUBJECT(&Many(vec![1, 2]), 1).await")
        .after("struct Many<T>(Vec<T>);")
        .stored_as("for<'a> fn(&'a Many<i32>, usize) -> BoxFuture<'a, Option<i32>>"),
    method("a generic block's `T` by value, `-> Self`", HELD,
        "async fn subject(value: T) -> Self", "{ Held(value) }",
        "SUBJECT(\"abc\").await.0.len()")
        .after("struct Held<T>(T);")
        .stored_as("fn(&'static str) -> BoxFuture<'static, Held<&'static str>>"),
    called("a trait's `M` by value, of which `Self` knows nothing", "", "",
        "{ let text = \"abc\".to_owned(); SUBJECT(&Sink, text.as_str()).await.len() }")
        .at("Handles::subject")
        .after("trait Handles<M: Send>: Sync { HOOK async fn subject(&self, message: M) -> M { message } }\n\
                struct Sink; impl<M: Send> Handles<M> for Sink {}")
        .in_trait("HOOK trait Handles<M: Send>: Sync { async fn subject(&self, message: M) -> M { message } }\n\
                struct Sink; impl<M: Send> Handles<M> for Sink {}", "Handles::subject"),
    called("recursion", "async fn subject(n: u64) -> u64",
        "{ if n == 0 { 1 } else { n * RECURSE(n - 1).await } }", "SUBJECT(5).await")
        .stored_as("fn(u64) -> BoxFuture<'static, u64>"),
    called("unused arguments drop at the end", "async fn subject(a: Loud, _b: Loud, _: Loud)",
        "{ pause().await; LOG.lock().unwrap().push(\"body\"); let _ = a.0; }",
        "{ SUBJECT(Loud(\"a\"), Loud(\"b\"), Loud(\"c\")).await; log() }")
        .stored_as("fn(Loud, Loud, Loud) -> BoxFuture<'static, ()>"),
    called("cancelled, arguments drop as declared", "async fn subject(a: Loud, (b, _): (Loud, Loud), c: Loud)",
        "{ pause().await; let _ = (a.0, b.0, c.0); }",
        "{ let call = SUBJECT(Loud(\"a\"), (Loud(\"b\"), Loud(\"rest\")), Loud(\"c\")); \
         { let mut call = Box::pin(call); let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop())); } log() }")
        .stored_as("fn(Loud, (Loud, Loud), Loud) -> BoxFuture<'static, ()>"),
];

// What an async callback is given is used after the call: a lifetime must be seen to be refused.
struct Elided<'a>(&'a u8);

ringback::callback_type! {
    struct Fetch: async fn(id: Elided) -> i64
}

fn main() {}

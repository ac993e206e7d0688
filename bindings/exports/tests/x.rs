#[test]
fn x(){
    let native = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../cpp/tests/native").canonicalize().unwrap();
    let config = cbindgen::Config::from_file(native.join("cbindgen.toml")).unwrap();
    unsafe{std::env::set_var("RUSTC_BOOTSTRAP","1");}
    cbindgen::generate_with_config(&native, config).unwrap().write_to_file(native.join("native.h"));
}

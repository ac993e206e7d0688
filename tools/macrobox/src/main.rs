fn main(){std::process::exit(macrobox::cli::run())}

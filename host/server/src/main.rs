fn main() -> std::process::ExitCode {
    lockgate::cli::main()
}

//! Generates a TypeScript client from the OpenAPI document, compiles it, and places an order with it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::npm::{OPENAPI_TOOLS, install_packages};
use ferrite_test_harness::api::Api;
use ferrite_test_harness::unique;
use ferrite_tests::storefront::Storefront;

/// The folder with the program, which uses the generated types.
const SOURCES: &str = "tests/openapi-client";

#[test]
fn a_generated_typescript_client_places_an_order() {
    let api = Api::storefront();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let checkout = Checkout::at(root);
    let tools = install_packages(&checkout, &OPENAPI_TOOLS).unwrap_or_else(|error| panic!("{error}"));
    let folder = checkout.run_folder("openapi-client").unwrap();
    for name in ["package.json", "tsconfig.json", "src/client.ts"] {
        let source = checkout.path(SOURCES).join(name);
        fs::copy(&source, folder.join(source.file_name().unwrap())).unwrap();
    }
    let modules = folder.join("node_modules");
    let _ = fs::remove_file(&modules);
    symlink(checkout.path(&OPENAPI_TOOLS.node_modules()), &modules).unwrap();

    // A source file rather than a declaration file, so that the compiler checks the generated types, too.
    let document = checkout.path("shared/api/openapi.json");
    run(tools.command("openapi-typescript").arg(document).args(["--output", "api.ts"]), &folder);
    run(tools.command("tsc").args(["--project", "."]), &folder);
    let customer = unique("client");
    let client = &mut tools.command("node");
    client
        .arg("client.js")
        .env("FERRITE_API_URL", api.base_url())
        .env("FERRITE_PRODUCT", api.create_product(5))
        .env("FERRITE_TOKEN", api.token(&customer, &[]));
    run(client, &folder);
    let orders = api.as_user(&customer, "GET", "/orders").send().json();
    assert_eq!(orders["items"].as_array().unwrap().len(), 1, "{orders}");
}

/// Runs a command. If it fails, panics with its output.
#[track_caller]
fn run(command: &mut Command, folder: &Path) {
    let program = command.get_program().display().to_string();
    let output = command.current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{program} failed ({}):\n{text}", output.status);
}

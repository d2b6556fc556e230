//! Renders the document as an HTML page without scripts and without external resources.

use std::fmt::Write;

use serde_json::Value;

/// Style sheet of the page. Its digest is part of the page's Content-Security-Policy (functions/describe-api).
pub const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code,pre{font:14px/1.4 ui-monospace,monospace;background:#8881;border-radius:4px}code{padding:1px 4px}\
pre{padding:.75rem;overflow:auto}section{border-top:1px solid #8884;margin-top:2rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #8882}";

/// Returns the HTML page for an OpenAPI `document`.
pub fn page(document: &Value) -> String {
    let info = &document["info"];
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>{0}</h1>\n<p>{1}</p>\n<p>{2}</p>\n<p>Machine-readable version: <a href=\"openapi.json\">openapi.json</a></p>\n",
        text(&info["title"]),
        text(&info["summary"]),
        text(&info["description"]),
    );
    let operations =
        || entries(&document["paths"]).flat_map(|(path, methods)| entries(methods).map(move |(m, o)| (m, path, o)));
    html.push_str("<ul>\n");
    for (method, path, operation) in operations() {
        let id = text(&operation["operationId"]);
        let method = method.to_uppercase();
        let _ =
            writeln!(html, "<li><a href=\"#{id}\"><code>{method} {path}</code></a> {}</li>", text(&operation["summary"]));
    }
    html.push_str("</ul>\n");
    for (method, path, operation) in operations() {
        section(&mut html, &method.to_uppercase(), path, operation, document);
    }
    html.push_str("<section>\n<h2>Schemas</h2>\n");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let _ = writeln!(html, "<h3 id=\"{0}\">{0}</h3>\n<p>{1}</p>", escaped(name), text(&schema["description"]));
        for part in items(&schema["allOf"]).chain([schema]) {
            if part["$ref"].is_string() {
                let _ = writeln!(html, "<p>All fields of {}, and:</p>", kind(part));
            }
            properties(&mut html, part);
        }
    }
    html.push_str("</section>\n</body>\n</html>\n");
    html
}

fn section(html: &mut String, method: &str, path: &str, operation: &Value, document: &Value) {
    let id = text(&operation["operationId"]);
    let summary = text(&operation["summary"]);
    let _ = writeln!(
        html,
        "<section id=\"{id}\">\n<h2>{summary}</h2>\n<p><code>{method} {path}</code></p>\n<p>{}</p>\n<p>{}</p>",
        text(&operation["description"]),
        access(operation)
    );
    let parameters: Vec<Vec<String>> = items(&operation["parameters"])
        .map(|parameter| {
            let parameter = resolved(parameter, document);
            let place =
                format!("{}{}", text(&parameter["in"]), if parameter["required"] == true { ", required" } else { "" });
            vec![code(&parameter["name"]), place, kind(&parameter["schema"]), text(&parameter["description"])]
        })
        .collect();
    table(html, ["Parameter", "In", "Type", "Description"], parameters);
    for (media_type, content) in entries(&operation["requestBody"]["content"]) {
        let example = escaped(&format!("{:#}", content["examples"]["usual"]["value"]));
        let _ = writeln!(
            html,
            "<p>Request body: {} as <code>{media_type}</code></p>\n<pre>{example}</pre>",
            kind(&content["schema"])
        );
    }
    let responses = entries(&operation["responses"]).map(|(status, response)| {
        let response = resolved(response, document);
        // Problems from the firewall have a second media type, `application/json`, which sorts first.
        let body = entries(&response["content"]).last().map_or_else(String::new, |(_, content)| kind(&content["schema"]));
        let headers: Vec<String> = entries(&response["headers"]).map(|(name, _)| format!("<code>{name}</code>")).collect();
        vec![status.to_owned(), text(&response["description"]), body, headers.join(" ")]
    });
    let responses = responses.collect();
    table(html, ["Status", "Description", "Body", "Headers"], responses);
    html.push_str("</section>\n");
}

/// Returns the component that `value` refers to, or `value` itself.
fn resolved<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
    target.unwrap_or(value)
}

fn access(operation: &Value) -> String {
    match items(&operation["security"]).next() {
        None => "Access: public.".to_owned(),
        Some(needed) => items(&needed["token"]).next().map_or_else(
            || "Access: users with a token.".to_owned(),
            |scope| format!("Access: tokens with the scope {}.", code(scope)),
        ),
    }
}

fn properties(html: &mut String, schema: &Value) {
    let is_required = |name: &str| items(&schema["required"]).any(|required| required == name);
    let rows = entries(&schema["properties"]).map(|(name, property)| {
        let required = if is_required(name) { "required" } else { "" };
        let name = format!("<code>{}</code>", escaped(name));
        vec![name, required.to_owned(), kind(property), text(&property["description"])]
    });
    let rows = rows.collect();
    table(html, ["Field", "", "Type", "Description"], rows);
}

fn table(html: &mut String, titles: [&str; 4], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(html, "<table>\n<tr><th>{}</th></tr>", titles.join("</th><th>"));
    for row in rows {
        let _ = writeln!(html, "<tr><td>{}</td></tr>", row.join("</td><td>"));
    }
    html.push_str("</table>\n");
}

/// Summarizes a schema, for example `string, maxLength 200`.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    if schema["items"].is_object() {
        return format!("list of {}{}", kind(&schema["items"]), bounds(schema));
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        kind => text(kind),
    };
    format!("{kinds}{}", bounds(schema))
}

fn bounds(schema: &Value) -> String {
    const SHOWN: [&str; 9] =
        ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default", "format", "pattern"];
    let mut bounds = String::new();
    for keyword in SHOWN {
        if let Some(value) = schema.get(keyword).filter(|value| !value.is_null()) {
            let _ = write!(bounds, ", {keyword} {}", code(value));
        }
    }
    let values: Vec<String> = items(&schema["enum"]).map(code).collect();
    if !values.is_empty() {
        let _ = write!(bounds, ": {}", values.join(" "));
    }
    bounds
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn code(value: &Value) -> String {
    format!("<code>{}</code>", value.as_str().map_or_else(|| escaped(&value.to_string()), escaped))
}

/// Converts text of the document to HTML: text in backticks becomes code, and blank lines become line breaks.
fn text(value: &Value) -> String {
    let escaped = escaped(value.as_str().unwrap_or_default()).replace("\n\n", "<br>");
    let mut html = String::new();
    for (n, part) in escaped.split('`').enumerate() {
        html.push_str(&if n % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() });
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

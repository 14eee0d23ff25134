//! The page's documents: the live one, and the one that is saved, which holds all it needs in one file.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const HTML: &str = include_str!("page.html");

/// The page's looks.
pub(super) const STYLE: &str = include_str!("page.css");

/// The page's behaviour.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// What the live page may do: load its own files and talk to its own server, nothing else.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The live page; `token` lets it stop the run.
pub(super) fn live(token: &str) -> String {
    let head = format!(
        "<meta name=\"tollgate-token\" content=\"{token}\">\n<link rel=\"stylesheet\" href=\"page.css\">\n\
         <script src=\"page.js\" defer></script>"
    );
    HTML.replacen("<!-- head -->", &head, 1).replacen("<!-- data -->", "", 1)
}

/// The page with its data, for a file: it opens without a server and may ask nothing of anybody.
pub(super) fn saved(state: &Value) -> String {
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    );
    let head =
        format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<style>{STYLE}</style>");
    // `<` could end the element that holds the data; in JSON it stands in strings only, where its code means the same.
    let data = state.to_string().replace('<', "\\u003c");
    let data =
        format!("<script type=\"application/json\" id=\"saved\">{data}</script>\n<script>{SCRIPT}</script>");
    HTML.replacen("<!-- head -->", &head, 1).replacen("<!-- data -->", &data, 1)
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{SCRIPT, STYLE, live, saved};

    #[test]
    fn the_live_page_has_nothing_inline_and_both_pages_name_no_other_host() {
        let page = live("abc");
        assert!(
            page.contains("content=\"abc\"") && !page.contains("<!-- head -->") && !page.contains("<style")
        );
        assert!(!page.contains("<script>") && !page.contains(" style=") && !page.contains(" onclick="));
        for text in [page.as_str(), STYLE, SCRIPT] {
            let hosts = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!hosts.contains("http://") && !hosts.contains("https://"));
        }
    }

    #[test]
    fn a_saved_page_is_whole_and_hostile_names_stay_data() {
        let page = saved(&json!({ "title": "</script><script>alert(1)</script><!--" }));
        assert!(page.contains("\\u003c/script>\\u003cscript>alert(1)") && !page.contains("<script>alert"));
        assert!(
            !page.contains("page.css")
                && !page.contains("src=\"")
                && !page.contains("tollgate-token\" content")
        );
        // The style and script stand in it byte for byte, else the policy's digests refuse them.
        assert!(page.contains(&format!("<style>{STYLE}</style>")));
        assert!(page.contains(&format!("<script>{SCRIPT}</script>")) && !SCRIPT.contains("</script"));
    }
}

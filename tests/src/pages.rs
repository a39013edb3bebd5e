//! Invented pages of a chosen length, the same on every machine: what bodies of HTML are measured on.
//!
//! In: a seed, a length, texts that shall stand in the page. Out: HTML of about that length, of lines as pages of devices have them.
//! Nothing here is any maker's: words are syllables, and what pages share (elements, attributes, styles, calls of scripts) is common to all.

/// Elements and scripts that pages consist of; `@` is a made-up word, `#` a number.
const LINES: [&str; 48] = [
    "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n",
    "<meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\">\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\">\n",
    "<meta http-equiv=\"Pragma\" content=\"no-cache\">\n<meta http-equiv=\"expires\" content=\"0\">\n",
    "<link rel=\"stylesheet\" type=\"text/css\" href=\"/css/@.css?v=#\">\n",
    "<link rel=\"shortcut icon\" href=\"/images/@.ico\" type=\"image/x-icon\">\n",
    "<script type=\"text/javascript\" src=\"/js/@.js\"></script>\n",
    "<script language=\"JavaScript\" src=\"@/@.min.js?t=#\"></script>\n",
    "<script>\nvar @ = \"@\";\nvar @_@ = #;\n</script>\n",
    "<script type=\"text/javascript\">\nfunction @() {\n  document.getElementById(\"@\").style.display = \"none\";\n}\n</script>\n",
    "window.onload = function () { document.forms[0].@.focus(); };\n",
    "if (navigator.userAgent.indexOf(\"@\") != -1) { window.location.href = \"/@.html\"; }\n",
    "$(document).ready(function(){ $('#@').addClass('@'); });\n",
    "setTimeout(\"location.reload()\", #);\n",
    "var xmlhttp = new XMLHttpRequest(); xmlhttp.open(\"GET\", \"/cgi-bin/@.cgi?@=#\", true);\n",
    "<style>\n.@ { margin: 0 auto; padding: #px; color: #333; font-family: Arial, Helvetica, sans-serif; }\n</style>\n",
    ".@-@ { background: url(../images/@.gif) no-repeat; width: #px; height: 24px; }\n",
    "<div class=\"@\" id=\"@\">\n",
    "</div>\n",
    "<div class=\"container-fluid\"><div class=\"row\"><div class=\"col-md-6 @\">@ @</div></div></div>\n",
    "<p>@ @ @ @ @ @, @ @ @.</p>\n",
    "<p class=\"text-center\">@ @ <strong>@</strong> @ @ @ <a href=\"/@/@.html\">@ @</a></p>\n",
    "<h1>@ @</h1>\n",
    "<h2 class=\"@\">@</h2>\n",
    "<table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\">\n",
    "<tr><td align=\"right\" class=\"@\">@:</td><td>@ #</td></tr>\n",
    "<tr>\n<td width=\"#\" height=\"24\" bgcolor=\"#FFFFFF\"><font size=\"2\">@ @</font></td>\n</tr>\n",
    "</table>\n",
    "<ul class=\"nav @\"><li><a href=\"@.asp\">@</a></li><li><a href=\"/@\">@ @</a></li></ul>\n",
    "<li class=\"active\"><a href=\"javascript:void(0)\" onclick=\"@('@')\">@</a></li>\n",
    "<img src=\"/images/@.png\" alt=\"@\" width=\"#\" height=\"32\" border=\"0\">\n",
    "<form name=\"@\" method=\"post\" action=\"/cgi-bin/@.cgi\" autocomplete=\"off\">\n",
    "<input type=\"text\" name=\"@\" id=\"@\" class=\"form-control\" placeholder=\"@\" maxlength=\"#\">\n",
    "<input type=\"password\" name=\"@\" id=\"@\" value=\"\">\n",
    "<input type=\"hidden\" name=\"@_token\" value=\"#a#f#\">\n",
    "<input type=\"submit\" class=\"btn btn-primary\" value=\"Login\">\n",
    "<button type=\"submit\" class=\"btn @\">@</button>\n",
    "<label for=\"@\">Username</label>\n<label for=\"@\">Password</label>\n",
    "<select name=\"@\"><option value=\"#\" selected>English</option><option value=\"#\">@</option></select>\n",
    "</form>\n",
    "<!-- @ @ -->\n",
    "<!--[if lt IE 9]><script src=\"/js/@.js\"></script><![endif]-->\n",
    "<span class=\"@\">&nbsp;</span>\n",
    "<br><br>\n",
    "<a href=\"https://www.@.example/@?id=#\" target=\"_blank\" rel=\"noopener\">@</a>\n",
    "<footer class=\"footer\"><p>&copy; 20# @ @. All rights reserved.</p></footer>\n",
    "<noscript>You need to enable JavaScript to run this app.</noscript>\n",
    "<iframe src=\"/@.htm\" name=\"@\" frameborder=\"0\" scrolling=\"no\"></iframe>\n",
];

const SYLLABLES: [&str; 36] = [
    "ad", "al", "an", "ar", "ba", "co", "con", "de", "di", "en", "er", "fo", "ge", "in", "ing", "is", "it", "la", "le", "li", "lo", "ma",
    "me", "ment", "net", "on", "or", "re", "ri", "se", "sta", "te", "ti", "tion", "us", "ver",
];

const END: &str = "</body>\n</html>\n";

/// Draws pages.
pub struct Pages<'a> {
    state: u64,
    avoids: &'a dyn Fn(&str) -> bool,
}

impl<'a> Pages<'a> {
    /// The same pages for the same seed.
    pub fn new(seed: u64) -> Pages<'a> {
        Pages::avoiding(seed, &|_| false)
    }

    /// Pages without the lines of which that is said.
    pub fn avoiding(seed: u64, avoids: &'a dyn Fn(&str) -> bool) -> Pages<'a> {
        Pages { state: seed ^ 0x2545_f491_4f6c_dd1d, avoids }
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % end.max(1)
    }

    /// A page of that many bytes, or a line more; the given texts stand in it, spread evenly between its lines.
    pub fn page(&mut self, bytes: usize, texts: &[String]) -> String {
        let mut page = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>");
        self.word(&mut page);
        page.push_str("</title>\n");
        let spliced: usize = texts.iter().map(|text| text.len() + 1).sum();
        let room = bytes.saturating_sub(spliced + END.len());
        let mut texts = texts.iter().enumerate().peekable();
        let step = room / (texts.len() + 1);
        let mut is_head = true;
        while page.len() < room {
            while let Some((_, text)) = texts.next_if(|(at, _)| page.len() >= step * (at + 1)) {
                page.push_str(text);
                page.push('\n');
            }
            if is_head && page.len() > 300 {
                page.push_str("</head>\n<body>\n");
                is_head = false;
            }
            let line = self.below(LINES.len());
            let begin = page.len();
            self.line(LINES[line], &mut page);
            if (self.avoids)(&page[begin..]) {
                page.truncate(begin);
            }
        }
        for (_, text) in texts {
            page.push_str(text);
            page.push('\n');
        }
        page.push_str(END);
        page
    }

    fn line(&mut self, line: &str, page: &mut String) {
        for part in line.split_inclusive(['@', '#']) {
            match part.split_at(part.len() - 1) {
                (before, "@") => {
                    page.push_str(before);
                    self.word(page);
                }
                // A colour and an anchor keep their sign.
                (before, "#") if !before.ends_with([' ', '\'']) => {
                    page.push_str(before);
                    page.push_str(&self.below(1000).to_string());
                }
                _ => page.push_str(part),
            }
        }
    }

    fn word(&mut self, page: &mut String) {
        for _ in 0..1 + self.below(4) {
            let syllable = self.below(SYLLABLES.len());
            page.push_str(SYLLABLES[syllable]);
        }
    }
}

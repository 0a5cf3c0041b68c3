//! As much of Markdown as a README's sections and blocks of code are made of.

/// A block of code, and the text that leads to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of the README that it begins on, counting from 1.
    pub(super) line: usize,
    /// The word behind the backticks.
    pub(super) language: String,
    /// What stands in it.
    pub(super) text: String,
    /// The text between the block before (or the heading) and this one.
    pub(super) before: String,
}

/// The sections whose heading of the second level begins with this word: what the rest of the heading says, and the blocks of code.
pub(super) fn sections(page: &str, word: &str) -> Vec<(String, Vec<Block>)> {
    let mut sections: Vec<(String, Vec<Block>)> = Vec::new();
    let mut inside = false;
    let mut before = String::new();
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let block =
                Block { line: number + 1, language: language.to_owned(), text: text.join("\n"), before: std::mem::take(&mut before) };
            if let Some((_, blocks)) = sections.last_mut().filter(|_| inside) {
                blocks.push(block);
            }
        } else if let Some(heading) = heading(line) {
            before.clear();
            inside = heading.starts_with(word);
            if inside {
                sections.push((heading.trim_start_matches(word).trim_start_matches(':').trim().to_owned(), Vec::new()));
            }
        } else {
            before.push_str(line);
            before.push('\n');
        }
    }
    sections
}

/// A heading of the first or second level; those below it are part of the section.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("## ").or_else(|| line.strip_prefix("# "))
}

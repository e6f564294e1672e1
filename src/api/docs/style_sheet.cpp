#include "api/docs/reference_page.hpp"

namespace buildplan::api::docs {

std::string_view style_sheet() noexcept {
    return R"css(:root {
  color-scheme: light dark;
  --ink: #1a2230; --soft: #5a6577; --paper: #ffffff; --panel: #f4f6f9; --line: #d8dee8; --link: #0b5cad;
  --get: #0b6e4f; --post: #0b5cad; --patch: #8a5a00; --delete: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e5e9f0; --soft: #a3aec0; --paper: #11151c; --panel: #1a202b; --line: #323b4a; --link: #7db8ff;
    --get: #5fd3a8; --post: #7db8ff; --patch: #f0c060; --delete: #ff8a80;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.to-contents { display: none; margin: 0; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem 1rem; z-index: 1; }
.layout { display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { border-right: 1px solid var(--line); padding: 1.25rem; height: 100vh; position: sticky; top: 0; overflow-y: auto; }
nav ul { list-style: none; margin: .25rem 0 1rem; padding: 0; }
nav li a { display: block; padding: .2rem 0; text-decoration: none; overflow-wrap: anywhere; }
nav li a:hover { text-decoration: underline; }
main { padding: 1.5rem 2rem 4rem; max-width: 60rem; }
h1, h2, h3, h4 { line-height: 1.25; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1.25rem 1rem; margin: 1.25rem 0; }
.method { font: 700 .8rem/1 ui-monospace, monospace; border: 1px solid currentColor; border-radius: .3rem; padding: .2rem .4rem; }
.get { color: var(--get); } .post, .put { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.path { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
code { background: var(--panel); padding: .1em .3em; border-radius: .25rem; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow-x: auto; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .95em; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
td p { margin: 0; }
small, .soft { color: var(--soft); }
summary { cursor: pointer; padding: .3rem 0; }
@media (max-width: 48rem) {
  .layout { display: flex; flex-direction: column; }
  nav { height: auto; position: static; order: 2; border-right: 0; border-top: 1px solid var(--line); }
  .to-contents { display: block; }
  main { padding: 1rem; }
  article { padding: 0 .8rem .8rem; }
  table, tbody, tr, td { display: block; }
  thead { position: absolute; left: -999rem; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td { border: 0; padding: .1rem 0; }
}
)css";
}

}  // namespace buildplan::api::docs

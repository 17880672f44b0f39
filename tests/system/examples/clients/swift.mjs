// SPDX-License-Identifier: MIT
// node swift.mjs FILE: parses Swift; prints each place that does not fit its grammar.
import { readFileSync } from "node:fs";
import { Language, Parser } from "web-tree-sitter";

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(
    new URL("node_modules/@repomix/tree-sitter-wasms/out/tree-sitter-swift.wasm", import.meta.url).pathname));

function faults(node) {
    const here = node.isError || node.isMissing ? [`${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`] : [];
    return here.concat(...node.children.map(faults));
}

const { rootNode } = parser.parse(readFileSync(process.argv[2], "utf8"));
faults(rootNode).forEach((fault) => console.log(fault));
process.exitCode = rootNode.hasError ? 1 : 0;

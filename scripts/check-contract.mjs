#!/usr/bin/env node
// The addon's exports and its classes' members are those that lib/native.ts declares, no more and no fewer.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const addon = createRequire(import.meta.url)('node-gyp-build')(root);
const file = ts.createSourceFile('native.ts', readFileSync(`${root}lib/native.ts`, 'utf8'), ts.ScriptTarget.Latest, true);
const interfaces = new Map(file.statements.filter(ts.isInterfaceDeclaration).map((node) => [node.name.text, node]));
const names = (node) => node.members.map((member) => member.name.getText());

const wrong = [];
function compare(what, declared, actual) {
  for (const name of declared) if (!actual.includes(name)) wrong.push(`${what}: lib/native.ts declares ${name}, the addon has none`);
  for (const name of actual) if (!declared.includes(name)) wrong.push(`${what}: the addon has ${name}, lib/native.ts does not declare it`);
}

const contents = interfaces.get('NativeAddon');
compare('the addon', names(contents), Object.keys(addon));
let classes = 0;
for (const member of contents.members) {
  if (!ts.isPropertySignature(member) || !ts.isConstructorTypeNode(member.type)) continue;
  const name = member.name.getText();
  if (!addon[name]) continue;
  ++classes;
  compare(
    name,
    names(interfaces.get(member.type.type.getText())),
    Object.getOwnPropertyNames(addon[name].prototype).filter((key) => key !== 'constructor'),
  );
}

if (wrong.length) {
  console.error(`check-contract: ${wrong.join('\n')}`);
  process.exit(1);
}
console.log(`check-contract: ${Object.keys(addon).length} exports and the members of ${classes} classes agree`);

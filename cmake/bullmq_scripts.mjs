// node bullmq_scripts.mjs FOLDER FILES...: writes the named files into FOLDER/scripts, from the bullmq package in
// FOLDER/node_modules: `NAME-KEYS.lua` (a script with its includes resolved, as BullMQ itself sends it, so that Redis
// keeps one copy for both), VERSION and LICENSE. Fails when the package has no script of that name and number of keys.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [folder, ...files] = process.argv.slice(2);
const root = path.join(folder, 'node_modules', 'bullmq');
const scripts = Object.values(createRequire(import.meta.url)(path.resolve(root, 'dist/cjs/scripts/index.js')));
const text = new Map(scripts.map(({ name, keys, content }) => [`${name}-${keys}.lua`, content]));
text.set('VERSION', JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version);

mkdirSync(path.join(folder, 'scripts'), { recursive: true });
for (const file of files) {
  const to = path.join(folder, 'scripts', file);
  if (file === 'LICENSE') {
    copyFileSync(path.join(root, file), to);
  } else if (text.has(file)) {
    writeFileSync(to, text.get(file));
  } else {
    const name = file.replace(/-\d+\.lua$/, '');
    const now = [...text.keys()].filter((each) => each.startsWith(`${name}-`));
    console.error(`bullmq ${text.get('VERSION')} has no ${file}${now.length ? `, but ${now}` : ''}.`);
    process.exit(1);
  }
}

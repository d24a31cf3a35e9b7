// The component: what demo:text/text exports. An error is thrown as the value that the WIT gives it.

import { parse } from './csv.js';
import { render } from './markdown.js';
import { slug } from './slug.js';
import { fill } from './template.js';

export const text = { markdown: render, fill, csv: parse, slug };

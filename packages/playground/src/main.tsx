/** Begins the page. */
import { render } from 'preact';
import { takeToken } from './sources/attached.js';
import { Page } from './view/page.js';

const root = document.getElementById('page');
if (root !== null) render(<Page token={takeToken()} />, root);

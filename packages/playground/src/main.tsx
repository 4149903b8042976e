/** Begins the page. */
import { render } from 'preact';
import { Page } from './view/page.js';

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);

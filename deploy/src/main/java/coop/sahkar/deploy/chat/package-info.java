/** The conversation in a terminal: reading lines, streaming answers, the slash commands. */
@NullMarked
package coop.sahkar.deploy.chat;

import org.jspecify.annotations.NullMarked;

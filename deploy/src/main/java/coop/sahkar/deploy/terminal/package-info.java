/** How things look on a terminal: progress, tables, sizes. */
@NullMarked
package coop.sahkar.deploy.terminal;

import org.jspecify.annotations.NullMarked;

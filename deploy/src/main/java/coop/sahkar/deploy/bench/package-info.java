/** {@code sahkar bench}: a chain of workers beside one process, in one run on one machine. */
@NullMarked
package coop.sahkar.deploy.bench;

import org.jspecify.annotations.NullMarked;

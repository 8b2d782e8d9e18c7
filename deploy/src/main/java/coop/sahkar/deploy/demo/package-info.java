/** A whole pool on one machine: coordinator in this process, workers as child processes. */
@NullMarked
package coop.sahkar.deploy.demo;

import org.jspecify.annotations.NullMarked;

/** The pool as it is installed: real processes, killed, stopped, starved and lied to. */
@NullMarked
package coop.sahkar.deploy.e2e;

import org.jspecify.annotations.NullMarked;

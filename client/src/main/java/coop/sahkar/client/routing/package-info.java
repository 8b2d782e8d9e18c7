/**
 * Who is asked next: {@link coop.sahkar.client.routing.Router} decides from immutable values, with
 * time and chance as arguments. No thread, no socket, no clock.
 */
@NullMarked
package coop.sahkar.client.routing;

import org.jspecify.annotations.NullMarked;

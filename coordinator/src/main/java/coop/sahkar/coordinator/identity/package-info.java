/** The coordinator's part in who is who: its own certificate, and those it makes for others. */
@NullMarked
package coop.sahkar.coordinator.identity;

import org.jspecify.annotations.NullMarked;

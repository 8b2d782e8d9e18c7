/** The co-operative's own rules: what its members have agreed on. Pure values and functions. */
@NullMarked
package coop.sahkar.governance;

import org.jspecify.annotations.NullMarked;

/** The few value types, codecs and limits that both ends of a link must share. */
@NullMarked
package coop.sahkar.proto;

import org.jspecify.annotations.NullMarked;

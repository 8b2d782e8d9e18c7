package coop.sahkar.proto;

import java.util.HexFormat;

/**
 * Names one session in the whole pool: 128 random bits, drawn by the coordinator that signs its
 * ticket.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
public record SessionId(long high, long low) {

    /** 32 hexadecimal digits. */
    @Override
    public String toString() {
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(high) + hex.toHexDigits(low);
    }
}

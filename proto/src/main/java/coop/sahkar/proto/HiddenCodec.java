package coop.sahkar.proto;

/** How hidden states are written on a link. */
public enum HiddenCodec {
    /** IEEE 754 binary32, little-endian: exact. */
    F32(Float.BYTES),
    /** IEEE 754 binary16, little-endian, rounded to nearest even: half the bytes. */
    F16(Short.BYTES);

    private final int bytesPerValue;

    HiddenCodec(int bytesPerValue) {
        this.bytesPerValue = bytesPerValue;
    }

    /** Bytes one value takes. */
    public int bytesPerValue() {
        return bytesPerValue;
    }
}

package coop.sahkar.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class MemorySizeTest {
    private final MemorySize.Converter converter = new MemorySize.Converter();

    @ParameterizedTest
    @CsvSource({
        "8G, 8589934592",
        "512M, 536870912",
        "1.5GiB, 1610612736",
        "1156705888, 1156705888",
        "64k, 65536"
    })
    void amountsAreRead(String text, long bytes) {
        assertThat(converter.convert(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "-1", "0", "8X", "9999999999999999999", "1.2345G"})
    void whatIsNoAmountIsRefused(String text) {
        assertThatThrownBy(() -> converter.convert(text))
                .isInstanceOf(TypeConversionException.class);
    }
}

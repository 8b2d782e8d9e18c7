package coop.sahkar.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class TimeSpanTest {
    private final TimeSpan.Converter converter = new TimeSpan.Converter();

    @ParameterizedTest
    @CsvSource({"30s, 30000", "10m, 600000", "12 h, 43200000", "999999d, 86399913600000"})
    void readsANumberAndAUnit(String text, long millis) {
        assertThat(converter.convert(text).millis()).isEqualTo(millis);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "7", "d", "-1d", "1.5h", "1w", "1000000d"})
    void refusesAnythingElse(String text) {
        assertThatThrownBy(() -> converter.convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("such as 30s");
    }
}

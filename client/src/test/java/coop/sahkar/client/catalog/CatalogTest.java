package coop.sahkar.client.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.client.provider.DataUse;
import coop.sahkar.client.provider.Profile;
import coop.sahkar.client.provider.Provider;
import java.net.URI;
import java.time.LocalDate;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CatalogTest {

    @Test
    void everyFactHasASourceAndADate() {
        List<FreeProvider> all = Catalog.all();
        assertThat(all)
                .extracting(FreeProvider::name)
                .doesNotHaveDuplicates()
                .hasSizeGreaterThan(5);
        for (FreeProvider provider : all) {
            assertThat(facts(provider))
                    .as(provider.name())
                    .allMatch(fact -> URI.create(fact.source()).getScheme().equals("https"))
                    .allMatch(fact -> fact.date().isAfter(LocalDate.of(2026, 1, 1)));
        }
    }

    private static Stream<Fact> facts(FreeProvider p) {
        return Stream.of(
                p.baseUrl(), p.model(), p.context(), p.limits(), p.retention(), p.training());
    }

    @Test
    void everyEntryMakesAProviderWithinItsLimits() {
        for (FreeProvider free : Catalog.all()) {
            try (Provider provider = free.provider("key", "", "alias")) {
                Profile profile = provider.profile();
                assertThat(profile.name()).isEqualTo(free.name());
                assertThat(profile.offer("alias")).isPresent();
                assertThat(profile.allowance()).isEqualTo(free.allowance());
            }
        }
    }

    @Test
    void onlyAVerifiedNoCountsAsNo() {
        assertThat(Catalog.all())
                .filteredOn(p -> p.dataUse() == DataUse.NO_TRAINING)
                .allMatch(p -> p.training().verified());
        assertThat(Catalog.named("gemini").orElseThrow().dataUse()).isEqualTo(DataUse.TRAINING);
    }

    @Test
    void aFactWithoutASourceIsNone() {
        assertThatThrownBy(() ->
                        Catalog.read(
                                "{\"providers\":[{\"name\":\"x\",\"title\":\"t\",\"key\":\"K\",\"baseUrl\":{\"value\":\"v\"}}]}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("source");
    }
}

"""Makes the screen's fonts out of Inter: Latin, Greek, Cyrillic and the signs that are drawn, with figures of one
width, so that a number that changes does not dance.

    python3 subset.py /usr/share/fonts/opentype/inter gui/fonts      (fonttools; Debian's fonts-inter)
"""
import sys
from fontTools import subset
from fontTools.ttLib import TTFont

folder, into = sys.argv[1:]
SIGNS = [0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026,
         0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265, 0x3A9, 0x3BC]

for weight in ["Regular", "Medium", "SemiBold"]:
    font = TTFont(f"{folder}/Inter-{weight}.otf")
    gsub = font["GSUB"].table
    wide = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[index].SubTable:
                    table = getattr(table, "ExtSubTable", table)
                    wide.update(table.mapping)
    for table in font["cmap"].tables:
        for code in [*range(0x30, 0x3A), 0x2B, 0x2D, 0x2212]:
            if code in table.cmap:
                table.cmap[code] = wide.get(table.cmap[code], table.cmap[code])
    options = subset.Options()
    options.layout_features = ["kern"]
    options.hinting = False
    options.notdef_outline = True
    maker = subset.Subsetter(options)
    maker.populate(unicodes=[*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x370, 0x400),
                             *range(0x400, 0x460), 0x490, 0x491, *SIGNS])
    maker.subset(font)
    font.save(f"{into}/Inter-{weight}.otf")

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

#include "sim/storm/report.h"

namespace bascule::sim::storm {
namespace {

constexpr double kWidth = 230, kHeight = 110;  // Of the drawing area of one plot.
constexpr double kLeft = 26, kBottom = 16, kTop = 6, kRight = 6;
constexpr double kStressTop = 2.0;  // Loads above are cut off.
constexpr std::size_t kPointsMax = 160;

constexpr std::string_view kStyle = R"(<style>
:root { --page:#fcfcfb; --ink:#1a1a19; --quiet:#6b6a66; --rule:#dddcd8; --band:#bcd4f0; --median:#2a6fbd;
  --peak:#8a3f0a; --limit:#c2362b; --d0:#e8eef5; --d1:#c5d9ee; --d2:#97bde0; --d3:#649bcd; --d4:#3a78b3;
  --d5:#215691; --d6:#12386a; --d7:#081d3d }
@media (prefers-color-scheme: dark) { :root { --page:#191918; --ink:#ecebe7; --quiet:#a09e98; --rule:#3a3937;
  --band:#23415f; --median:#6fa8e6; --peak:#f0a35e; --limit:#ef6a5e; --d0:#26303b; --d1:#2b4562; --d2:#325f8c;
  --d3:#4480b8; --d4:#68a1d6; --d5:#93bfe8; --d6:#bedaf3; --d7:#ebf4fc } }
body { background:var(--page); color:var(--ink); font:14px/1.45 system-ui,sans-serif; margin:2rem auto;
  max-width:1240px; padding:0 1rem }
h1 { font-size:1.5rem; margin:0 0 .3rem } h2 { font-size:1.1rem; margin:2.2rem 0 .3rem }
p { max-width:75ch; margin:.3rem 0 } .quiet { color:var(--quiet) }
.plots { display:flex; flex-wrap:wrap; gap:.6rem 1rem } figure { margin:0 }
figcaption { font-size:12px; font-weight:600 } svg text { fill:var(--quiet); font-size:10px }
.band { fill:var(--band) } .median { fill:none; stroke:var(--median); stroke-width:1.5 }
.peak { fill:none; stroke:var(--peak); stroke-width:1.2 }
.limit { stroke:var(--limit); stroke-width:1; stroke-dasharray:4 3 } .axis { stroke:var(--rule) }
.wrap { overflow-x:auto } table { border-collapse:collapse; font-variant-numeric:tabular-nums; font-size:13px }
th,td { padding:.15rem .55rem; text-align:right; border-bottom:1px solid var(--rule); white-space:nowrap }
th.name,td.name { text-align:left } .bar { font-size:12px } .bar span { display:inline-block }
.key i { display:inline-block; width:.9em; height:.9em; margin:0 .3em 0 .9em; vertical-align:-.1em }
</style>)";

/// Appends printf output.
void add(std::string& text, const char* pattern, ...) __attribute__((format(printf, 2, 3)));
void add(std::string& text, const char* pattern, ...) {
  std::array<char, 512> buffer{};
  va_list values;
  va_start(values, pattern);
  std::vsnprintf(buffer.data(), buffer.size(), pattern, values);
  va_end(values);
  text += buffer.data();
}

/// At most kPointsMax points: means, and the highest maximum.
std::vector<LoadPoint> thinned(const std::vector<LoadPoint>& points) {
  const std::size_t every = (points.size() + kPointsMax - 1) / kPointsMax;
  std::vector<LoadPoint> thin;
  for (std::size_t i = 0; i < points.size(); i += every) {
    const std::size_t end = std::min(i + every, points.size());
    LoadPoint sum{.time_s = points[i].time_s};
    for (std::size_t j = i; j < end; ++j) {
      const double share = 1.0 / static_cast<double>(end - i);
      sum.p10 += share * points[j].p10;
      sum.p50 += share * points[j].p50;
      sum.p90 += share * points[j].p90;
      sum.max = std::max(sum.max, points[j].max);
    }
    thin.push_back(sum);
  }
  return thin;
}

class LoadPlot {
 public:
  explicit LoadPlot(const Plot& plot) : plot_(plot), points_(thinned(plot.load)) {
    end_ = points_.empty() ? 1 : std::max(1.0, points_.back().time_s);
  }

  std::string figure() {
    const double total_width = kLeft + kWidth + kRight;
    const double total_height = kTop + kHeight + kBottom;
    add(text_, "<figure><figcaption>%s</figcaption>", plot_.policy.c_str());
    add(text_,
        "<svg width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"load "
        "under %s\">",
        total_width, total_height, total_width, total_height, plot_.policy.c_str());
    axes();
    band();
    line("median", [](const LoadPoint& p) { return p.p50; });
    line("peak", [](const LoadPoint& p) { return p.max; });
    add(text_,
        "<line class=\"limit\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/></svg></figure>\n",
        kLeft, kLeft + kWidth, y(1), y(1));
    return std::move(text_);
  }

 private:
  [[nodiscard]] double x(double time_s) const { return kLeft + kWidth * time_s / end_; }
  [[nodiscard]] static double y(double stress) {
    return kTop + kHeight * (1 - std::min(stress, kStressTop) / kStressTop);
  }

  void axes() {
    for (const double stress : {0.0, 1.0, 2.0}) {
      add(text_, "<line class=\"axis\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>", kLeft,
          kLeft + kWidth, y(stress), y(stress));
      add(text_, "<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%g</text>", kLeft - 4,
          y(stress) + 3, stress);
    }
    for (const double share : {0.0, 0.5, 1.0}) {
      add(text_, "<text x=\"%.1f\" y=\"%g\" text-anchor=\"%s\">%.0f%s</text>", x(share * end_),
          kTop + kHeight + 12,
          share == 0   ? "start"
          : share == 1 ? "end"
                       : "middle",
          share * end_, share == 1 ? " s" : "");
    }
  }

  void band() {
    text_ += "<polygon class=\"band\" points=\"";
    for (const LoadPoint& point : points_) {
      add(text_, "%.1f,%.1f ", x(point.time_s), y(point.p90));
    }
    for (auto point = points_.rbegin(); point != points_.rend(); ++point) {
      add(text_, "%.1f,%.1f ", x(point->time_s), y(point->p10));
    }
    text_ += "\"/>";
  }

  template <class Value>
  void line(const char* name, Value value) {
    add(text_, "<polyline class=\"%s\" points=\"", name);
    for (const LoadPoint& point : points_) {
      add(text_, "%.1f,%.1f ", x(point.time_s), y(value(point)));
    }
    text_ += "\"/>";
  }

  const Plot& plot_;
  std::vector<LoadPoint> points_;
  double end_ = 1;
  std::string text_;
};

struct Bucket {
  double up_to_s;
  const char* name;
};
constexpr std::array<Bucket, 8> kBuckets = {{{0.15, "none"},
                                             {1, "to 1 s"},
                                             {3, "to 3 s"},
                                             {10, "to 10 s"},
                                             {30, "to 30 s"},
                                             {100, "to 100 s"},
                                             {200, "to 200 s"},
                                             {1e9, "more"}}};

std::string bucket_key() {
  std::string text = "<p class=\"quiet key\">Time without media per person:";
  for (std::size_t i = 0; i < kBuckets.size(); ++i) {
    add(text, "<i style=\"background:var(--d%zu)\"></i>%s", i, kBuckets[i].name);
  }
  return text + "</p>\n";
}

/// One bar per policy: the shares of people by how long they had no media.
std::string down_bars(const std::vector<const Plot*>& plots) {
  constexpr double kBarWidth = 620;
  std::string text = "<div class=\"wrap\"><table class=\"bar\">";
  for (const Plot* plot : plots) {
    add(text, "<tr><td class=\"name\">%s</td><td>", plot->policy.c_str());
    add(text, "<svg width=\"%g\" height=\"14\" role=\"img\" aria-label=\"time without media\">",
        kBarWidth);
    double left = 0;
    auto from = plot->down_s.begin();
    for (std::size_t i = 0; i < kBuckets.size(); ++i) {
      const auto to = std::upper_bound(from, plot->down_s.end(), kBuckets[i].up_to_s);
      const double share = static_cast<double>(to - from) /
                           static_cast<double>(std::max<std::size_t>(1, plot->down_s.size()));
      const double width = share * kBarWidth;
      if (width > 0) {
        add(text,
            "<rect x=\"%.2f\" width=\"%.2f\" height=\"14\" style=\"fill:var(--d%zu)\">"
            "<title>%s: %.2f %%</title></rect>",
            left, std::max(0.5, width - 1), i, kBuckets[i].name, 100 * share);
      }
      left += width;
      from = to;
    }
    text += "</svg></td></tr>\n";
  }
  return text + "</table></div>\n";
}

std::string table(const std::vector<Row>& rows) {
  std::string text = "<div class=\"wrap\"><table><tr>";
  for (std::size_t i = 0; i < columns().size(); ++i) {
    text += i < 2 ? "<th class=\"name\">" : "<th>";
    text += columns()[i].heading;
    text += "</th>";
  }
  text += "</tr>\n";
  for (const Row& row : rows) {
    text += "<tr>";
    const auto line = cells(row, Precision::kForPeople);
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += i < 2 ? "<td class=\"name\">" : "<td>";
      text += line[i] + "</td>";
    }
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

}  // namespace

std::string html_of(const std::vector<Row>& rows, const std::vector<Plot>& plots) {
  std::string text =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Selection storms</title>";
  text += kStyle;
  text +=
      "</head><body><h1>Selection storms</h1>\n"
      "<p>A model of a fleet of bridges that die of overload, under several ways to choose "
      "bridges, on identical "
      "arrivals. Plots show the first seed: stress of the bridges over time, as a band from the 10 "
      "% to the 90 % "
      "quantile, the median (blue), the highest (brown, cut off at 2) and the limit 1 (dashed); 0 "
      "is when the event "
      "happens.</p>\n<h2>All results</h2>\n";
  text += table(rows);
  for (auto first = plots.begin(); first != plots.end();) {
    const auto last = std::find_if(
        first, plots.end(), [&](const Plot& plot) { return plot.scenario != first->scenario; });
    text += "<h2>" + first->scenario + ": " + first->title + "</h2>\n<div class=\"plots\">";
    std::vector<const Plot*> group;
    for (auto plot = first; plot != last; ++plot) {
      text += LoadPlot(*plot).figure();
      group.push_back(&*plot);
    }
    text += "</div>\n" + bucket_key() + down_bars(group);
    first = last;
  }
  return text + "</body></html>\n";
}

}  // namespace bascule::sim::storm

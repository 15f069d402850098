// The one translation unit that compiles the non-template parts of Asio, its SSL layer and Beast;
// everybody else only declares them (BOOST_ASIO_SEPARATE_COMPILATION,
// BOOST_BEAST_SEPARATE_COMPILATION), which saves about 1.5 s per unit.

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
